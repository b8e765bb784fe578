package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

func sessionID(i int) string { return fmt.Sprintf("session-%08x-0000-0000-0000-000000000000", i) }

func ids(sessions []session.Session) (ids []string) {
	for _, s := range sessions {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestListOfAMember(t *testing.T) {
	f := newFleet(t)
	var want []string
	for range 3 {
		want = append(want, f.start(time.Hour, 0).ID)
		f.clock.Advance(time.Second)
	}
	r := f.trusted("x")
	want = append(want, f.implicit(f.a, r).ID)
	other := f.trusted("y")
	other.MemberID = "member-2"
	f.implicit(f.a, other)
	elsewhere := f.trusted("z")
	elsewhere.OrganizationID = "organization-2"
	f.implicit(f.a, elsewhere)

	found, err := f.b.List(ctx, org, member)
	if err != nil || fmt.Sprint(ids(found)) != fmt.Sprint(want) {
		t.Errorf("found %v, want %v, %v", ids(found), want, err)
	}
	if found, err := f.b.List(ctx, org, "member-3"); err != nil || len(found) != 0 {
		t.Errorf("a member without sessions has %v, %v", ids(found), err)
	}
}

func TestListLeavesOutTheDead(t *testing.T) {
	f := newFleet(t)
	revoked, idle, expired := f.start(time.Hour, 0), f.start(time.Hour, time.Minute), f.start(time.Minute, 0)
	live := f.start(time.Hour, 0)
	if _, err := f.a.Revoke(ctx, revoked.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	found, err := f.b.List(ctx, org, member)
	if err != nil || len(found) != 1 || found[0].ID != live.ID {
		t.Errorf("found %v, %v; idle %s, expired %s", ids(found), err, idle.ID, expired.ID)
	}
}

// A listing is a hint: a record says itself whose it is.
func TestListChecksWhoseItIs(t *testing.T) {
	f := newFleet(t)
	mine := f.start(time.Hour, 0)
	victim, err := f.a.Start(ctx, session.Start{OrganizationID: org, MemberID: "member-2", Duration: time.Hour, Factor: f.proof("p", "t")})
	if err != nil {
		t.Fatal(err)
	}
	f.store.Store = &lying{Store: f.store.Store, refs: []store.Ref{
		{Partition: "s:" + mine.ID, Key: "s"}, {Partition: "s:" + victim.ID, Key: "s"},
		{Partition: "ring", Key: "signing"}, {Partition: "s:" + sessionID(1), Key: "s"},
	}}
	found, err := f.b.List(ctx, org, member)
	if err != nil || len(found) != 1 || found[0].ID != mine.ID {
		t.Errorf("found %v, %v", ids(found), err)
	}
}

// lying is a store whose listings say what they like.
type lying struct {
	store.Store
	refs []store.Ref
}

func (s *lying) List(context.Context, string) ([]store.Ref, error) { return s.refs, nil }

// One broken record hides no other: all that can be ended is.
func TestListBesideABrokenRecord(t *testing.T) {
	f := newFleet(t)
	broken, good := f.start(time.Hour, 0), f.start(time.Hour, 0)
	was := f.records(broken.ID)[0]
	was.Value = []byte("\x01{}")
	f.apply(broken.ID, store.Op{
		Key: "s", Expect: was.Version, Value: was.Value, ExpiresAt: was.ExpiresAt, Tags: []string{memberTag(f)},
	})
	found, err := f.a.List(ctx, org, member)
	wantFault(t, err)
	if len(found) != 1 || found[0].ID != good.ID {
		t.Fatalf("found %v", ids(found))
	}
	ended, err := f.a.RevokeAll(ctx, append(found, session.Session{ID: broken.ID}))
	wantFault(t, err)
	if len(ended) != 1 || ended[0].ID != good.ID {
		t.Errorf("ended %v", ids(ended))
	}
}

// memberTag is the tag of the fleet's member, as the store saw it.
func memberTag(f *fleet) string { return session.MemberTag(f.a, org, member) }

func TestListWhileTheStoreIsDown(t *testing.T) {
	f := newFleet(t)
	f.start(time.Hour, 0)
	f.store.down(true)
	_, err := f.a.List(ctx, org, member)
	wantFault(t, err)
}

// Whoever reads the names in a store learns no member from them.
func TestNamesTellNoMember(t *testing.T) {
	f := newFleet(t)
	tags := map[string]bool{}
	for _, row := range [][2]string{{org, member}, {org + "m", member[1:]}, {org, "member-2"}, {"o", member}} {
		tag := session.MemberTag(f.a, row[0], row[1])
		if err := store.CheckName(tag); err != nil || strings.Contains(tag, row[0]) && len(row[0]) > 1 || strings.Contains(tag, row[1]) {
			t.Errorf("tag is %s, %v", tag, err)
		}
		tags[tag] = true
	}
	if len(tags) != 4 {
		t.Errorf("%d tags of 4 members", len(tags))
	}
}

func TestRevokeAllOfAMember(t *testing.T) {
	f := newFleet(t)
	for range 3 {
		f.start(time.Hour, 0)
	}
	sessions, err := f.a.List(ctx, org, member)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.b.Revoke(ctx, sessions[1].ID); err != nil { // somebody was faster
		t.Fatal(err)
	}
	ended, err := f.a.RevokeAll(ctx, sessions)
	if err != nil || len(ended) != 2 {
		t.Errorf("ended %v, %v", ids(ended), err)
	}
	if left, err := f.a.List(ctx, org, member); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", ids(left), err)
	}
}

// A member who signs in beyond the cap loses the oldest ordinary sessions, used or
// not; implicit ones are neither counted nor ended.
func TestTrimEndsTheOldestBeyondTheCap(t *testing.T) {
	f := newFleet(t)
	capped := f.node(session.Config{PerMember: 2})
	var all []session.Session
	for range 4 {
		all = append(all, f.start(24*time.Hour, 0))
		f.clock.Advance(time.Second)
	}
	bearer := f.implicit(f.a, f.trusted("x"))
	f.clock.Advance(2 * time.Minute)
	f.accessed(f.a, all[0])
	ended, err := capped.Trim(ctx, org, member, all[3].ID)
	if err != nil || fmt.Sprint(ids(ended)) != fmt.Sprint(ids(all[:2])) {
		t.Errorf("ended %v, want %v, %v", ids(ended), ids(all[:2]), err)
	}
	if left, err := f.b.List(ctx, org, member); err != nil || len(left) != 3 {
		t.Errorf("left %v, %v", ids(left), err)
	}
	if _, err := f.a.ByID(ctx, bearer.ID); err != nil {
		t.Errorf("the implicit one: %v", err)
	}
	if ended, err := capped.Trim(ctx, org, member, all[3].ID); err != nil || len(ended) != 0 {
		t.Errorf("again: %v, %v", ids(ended), err)
	}
}

func TestTrimEndsTenAtOnce(t *testing.T) {
	f := newFleet(t)
	var last session.Session
	for range 25 {
		last = f.start(time.Hour, 0)
	}
	capped := f.node(session.Config{PerMember: 5})
	for _, want := range []int{10, 10, 0} {
		if ended, err := capped.Trim(ctx, org, member, last.ID); err != nil || len(ended) != want {
			t.Errorf("ended %d, want %d, %v", len(ended), want, err)
		}
	}
}

func TestNoCap(t *testing.T) {
	f := newFleet(t)
	var last session.Session
	for range 250 {
		last = f.start(time.Hour, 0)
	}
	if ended, err := f.node(session.Config{PerMember: -1}).Trim(ctx, org, member, ""); err != nil || len(ended) != 0 {
		t.Errorf("ended %d, %v", len(ended), err)
	}
	if ended, err := f.a.Trim(ctx, org, member, last.ID); err != nil || len(ended) != 10 {
		t.Errorf("by default: ended %d, %v", len(ended), err)
	}
}

// A sign-in at a node whose clock is behind makes the session that looks oldest. It is
// not the one that ends.
func TestTrimNeverEndsTheSessionThatWasStarted(t *testing.T) {
	f := newFleet(t)
	for range 2 {
		f.start(24*time.Hour, 0)
	}
	f.clock.Advance(-time.Minute)
	started := f.start(24*time.Hour, 0)
	f.clock.Advance(time.Minute)
	ended, err := f.node(session.Config{PerMember: 2}).Trim(ctx, org, member, started.ID)
	if err != nil || len(ended) != 1 || ended[0].ID == started.ID {
		t.Errorf("ended %v of %s, %v", ids(ended), started.ID, err)
	}
}
