package directory_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

// written is a store that remembers every name it was given.
type written struct {
	store.Store
	mu    sync.Mutex
	names []string
}

func (w *written) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	w.mu.Lock()
	for _, op := range ops {
		w.names = append(w.names, partition, op.Key)
		w.names = append(w.names, op.Tags...)
	}
	w.mu.Unlock()
	return w.Store.Apply(ctx, partition, ops...)
}

func TestNoNameOfARecordTellsWhoItIs(t *testing.T) {
	f := newFixture(t)
	w := &written{Store: f.store}
	d, err := directory.New(directory.Config{Store: w, IndexKey: indexKey, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.Directory = d
	m := f.resolve(with(f.evil("initech:secret"), func(a *directory.Assertion) { a.Email = "countess@lovelace.example" }))
	f.createOrganization(directory.NewOrganization{Name: "Corporation", Slug: "globex-secret", ExternalID: "globex-hidden"})
	must[directory.Member](t)(f.UpdateMember(t.Context(), m.OrganizationID, m.ID, directory.MemberChange{ExternalID: ptr("hr-secret")}))
	if err := f.RevokeProfile(t.Context(), "evil", epoch); err != nil {
		t.Fatal(err)
	}
	if len(w.names) < 10 {
		t.Fatalf("only %v", w.names)
	}
	for _, name := range w.names {
		for _, secret := range []string{"countess", "lovelace", "mallory", "initech", "globex", "secret", "hidden", "corporation"} {
			if strings.Contains(strings.ToLower(name), secret) {
				t.Errorf("%q is in the name %q", secret, name)
			}
		}
	}
}

func TestTheSamePersonHasOtherNamesInAnotherOrganization(t *testing.T) {
	f := newFixture(t)
	w := &written{Store: f.store}
	d, err := directory.New(directory.Config{Store: w, IndexKey: indexKey, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.Directory = d
	f.resolve(f.evil("one"))
	f.resolve(f.evil("two"))
	seen := map[string]bool{}
	for i := 0; i < len(w.names); i++ {
		if name := w.names[i]; strings.HasPrefix(name, "e:") || strings.HasPrefix(name, "x:") {
			if seen[name] {
				t.Errorf("%s stands in two organizations", name)
			}
			seen[name] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d index names, not 4", len(seen))
	}
}

func (f *fixture) raw(ref store.Ref) store.Record {
	f.t.Helper()
	return must[[]store.Record](f.t)(f.store.Get(f.t.Context(), ref.Partition, ref.Key))[0]
}

func (f *fixture) put(ref store.Ref, value []byte, tags ...string) {
	f.t.Helper()
	op := store.Op{Key: ref.Key, Expect: f.raw(ref).Version, Value: value, Tags: tags}
	if err := f.store.Apply(f.t.Context(), ref.Partition, op); err != nil {
		f.t.Fatal(err)
	}
}

func TestWhatANewerReleaseAddedSurvives(t *testing.T) {
	f := newFixture(t)
	o, m, err := f.Resolve(t.Context(), with(f.evil("initech"), roles("admin")))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.RevokeProfile(t.Context(), "evil", epoch.Add(-1)); err != nil {
		t.Fatal(err)
	}
	refs := []store.Ref{directory.OrganizationRef(o.ID), directory.MemberRef(o.ID, m.ID), directory.ProfileRef("evil")}
	for _, ref := range refs {
		body := must[map[string]any](t)(strictjson.Object(f.raw(ref).Value[1:]))
		body["future"] = object("a", 1)
		if profiles, ok := body["profiles"].(map[string]any); ok && ref.Key != "org" {
			profiles["evil"].(map[string]any)["future"] = true
		}
		f.put(ref, must[[]byte](t)(record.Encode(1, body)))
	}
	// One change of each.
	f.clock.advance(1e9)
	f.resolve(with(f.evil("initech"), roles("reader")))
	must[directory.Organization](t)(f.UpdateOrganization(t.Context(), o.ID, directory.OrganizationChange{Name: ptr("New")}))
	if err := f.RevokeProfile(t.Context(), "evil", epoch); err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		value := f.raw(ref).Value
		if !bytes.Contains(value, []byte(`"future":{"a":1}`)) {
			t.Errorf("%s forgot it: %s", ref.Key, value)
		}
	}
	if value := f.raw(refs[1]).Value; !bytes.Contains(value, []byte(`"future":true`)) {
		t.Errorf("the profile forgot it: %s", value)
	}
}

func TestRecordsThatCannotBeReadAreFaultsNeverAbsent(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a newer format": func(v []byte) []byte { return append([]byte{2}, v[1:]...) },
		"no JSON":        func([]byte) []byte { return []byte("\x01{") },
		"a wrong type": func([]byte) []byte {
			return []byte(`` + "\x01" + `{"id":1,"member":1,"organization":1,"not_before":1}`)
		},
		"of another": func([]byte) []byte { return []byte("\x01" + `{"id":"other","member":"other"}`) },
	} {
		for what, ref := range map[string]func(f *fixture, m directory.Member) store.Ref{
			"organization": func(_ *fixture, m directory.Member) store.Ref { return directory.OrganizationRef(m.OrganizationID) },
			"member":       func(_ *fixture, m directory.Member) store.Ref { return directory.MemberRef(m.OrganizationID, m.ID) },
			"profile":      func(*fixture, directory.Member) store.Ref { return directory.ProfileRef("evil") },
		} {
			if what == "profile" && name == "of another" {
				continue // it says nothing of whose it is
			}
			t.Run(name+" of "+what, func(t *testing.T) {
				f := newFixture(t)
				a := f.evil("initech")
				m := f.resolve(a)
				if err := f.RevokeProfile(t.Context(), "evil", epoch.Add(-1)); err != nil {
					t.Fatal(err)
				}
				r := ref(f, m)
				f.put(r, spoil(f.raw(r).Value))
				before := f.store.applies.Load()
				_, _, err := f.Resolve(t.Context(), a)
				var refused *directory.Error
				if err == nil || errors.As(err, &refused) {
					t.Errorf("got %v, want a fault", err)
				}
				if strings.Contains(err.Error(), "initech") || strings.Contains(err.Error(), "mallory") {
					t.Errorf("the fault tells who it is: %v", err)
				}
				if f.store.applies.Load() != before {
					t.Error("something was made in its place")
				}
			})
		}
	}
}

// Whoever can write the store moves the record of one tenant to another's place.
func TestAttackAMovedRecordIsNotBelieved(t *testing.T) {
	f := newFixture(t)
	one, ada, err := f.Resolve(t.Context(), f.evil("one"))
	if err != nil {
		t.Fatal(err)
	}
	two, eve, err := f.Resolve(t.Context(), with(f.evil("two"), roles("admin")))
	if err != nil {
		t.Fatal(err)
	}
	original := f.raw(directory.MemberRef(one.ID, ada.ID)).Value
	for name, row := range map[string]struct{ to, from store.Ref }{
		"member":       {directory.MemberRef(one.ID, ada.ID), directory.MemberRef(two.ID, eve.ID)},
		"organization": {directory.OrganizationRef(one.ID), directory.OrganizationRef(two.ID)},
	} {
		f.put(row.to, f.raw(row.from).Value, "members:"+one.ID)
		for what, err := range map[string]error{
			"resolve": func() error { _, _, err := f.Resolve(t.Context(), f.evil("one")); return err }(),
			"lookup":  second(f.Member(t.Context(), one.ID, ada.ID)),
			"search":  second(f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{one.ID}})),
			"update":  second(f.UpdateMember(t.Context(), one.ID, ada.ID, directory.MemberChange{Name: ptr("x")})),
			"cut":     f.RevokeMember(t.Context(), one.ID, ada.ID, epoch),
		} {
			var refused *directory.Error
			if what == "cut" && name == "organization" {
				continue // it reads the member alone
			}
			if err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "belongs elsewhere") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		f.put(directory.MemberRef(one.ID, ada.ID), original)
	}
}
