package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

var indexKey = []byte("an index key of at least 32 bytes")

// epoch is when every test begins.
var epoch = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// watched is a store that counts what is asked of it and breaks on demand.
type watched struct {
	*memory.Store
	gets, applies atomic.Int64
	// breakAt fails the n-th Apply from now, counted down; 0: none.
	breakAt atomic.Int64
	// lieAt does the n-th Apply from now and says that it failed.
	lieAt atomic.Int64
	// meanwhile is called before the Get with which gets reaches meanwhileAt.
	meanwhile   func()
	meanwhileAt int64
	// before is called before every Apply.
	before func(partition string)
}

var errBroken = errors.New("the store is broken")

func (w *watched) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if w.gets.Add(1) == w.meanwhileAt {
		w.meanwhile()
	}
	return w.Store.Get(ctx, partition, keys...)
}

func (w *watched) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	w.applies.Add(1)
	if w.breakAt.Load() > 0 && w.breakAt.Add(-1) == 0 {
		return errBroken
	}
	if w.before != nil {
		w.before(partition)
	}
	err := w.Store.Apply(ctx, partition, ops...)
	if w.lieAt.Load() > 0 && w.lieAt.Add(-1) == 0 {
		return errBroken
	}
	return err
}

// fixture is a directory on a memory store.
type fixture struct {
	*directory.Directory
	t     testing.TB
	store *watched
	clock *clock
}

func newFixture(t testing.TB, configured ...directory.Organization) *fixture {
	t.Helper()
	c := &clock{now: epoch}
	s := &watched{Store: memory.New(c.Now)}
	t.Cleanup(func() { _ = s.Close() })
	f := &fixture{t: t, store: s, clock: c}
	f.Directory = f.another(configured...)
	return f
}

// another is a second gateway on the same store, or the first after a reload.
func (f *fixture) another(configured ...directory.Organization) *directory.Directory {
	f.t.Helper()
	d, err := directory.New(directory.Config{
		Store: f.store, IndexKey: indexKey, Organizations: configured, Now: f.clock.Now,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// acme is the organization that most tests sign in to.
func acme(profiles ...string) directory.Organization {
	return directory.Organization{ID: "acme", Name: "Acme Inc.", ExternalID: "acme-1", Profiles: profiles}
}

// ada is a first sign-in by profile okta to acme.
func (f *fixture) ada() directory.Assertion {
	return directory.Assertion{
		Profile: "okta", Namespace: "okta", ExternalID: "ada-1", Email: "ada@acme.example",
		Organization: "acme", OrganizationFixed: true, CreateMembers: true, IssuedAt: f.clock.Now(),
	}
}

// with is an assertion changed.
func with(a directory.Assertion, change func(*directory.Assertion)) directory.Assertion {
	change(&a)
	return a
}

func (f *fixture) resolve(a directory.Assertion) directory.Member {
	f.t.Helper()
	_, m, err := f.Resolve(f.t.Context(), a)
	if err != nil {
		f.t.Fatalf("resolve: %v", err)
	}
	return m
}

// refused asserts that the assertion is refused with this code and reason, that
// the refusal names the profile, and that nothing was written.
func (f *fixture) refused(a directory.Assertion, want *directory.Error) {
	f.t.Helper()
	before := f.store.applies.Load()
	_, _, err := f.Resolve(f.t.Context(), a)
	var got *directory.Error
	if !errors.As(err, &got) {
		f.t.Fatalf("got %v, want %v", err, want)
	}
	if got.Code != want.Code || got.Reason != want.Reason {
		f.t.Errorf("got %s (%s), want %s (%s)", got.Code, got.Reason, want.Code, want.Reason)
	}
	if got.Profile != a.Profile {
		f.t.Errorf("the refusal names profile %q, not %q", got.Profile, a.Profile)
	}
	if n := f.store.applies.Load() - before; n != 0 {
		f.t.Errorf("a refused token caused %d writes", n)
	}
}

func refusal(code, reason string) *directory.Error {
	return &directory.Error{Code: code, Reason: reason}
}

// must is for calls that a test only needs done.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ptr[T any](v T) *T { return &v }

func (f *fixture) createMember(organization string, n directory.NewMember) directory.Member {
	f.t.Helper()
	return must[directory.Member](f.t)(f.CreateMember(f.t.Context(), organization, n))
}

func (f *fixture) createOrganization(n directory.NewOrganization) directory.Organization {
	f.t.Helper()
	return must[directory.Organization](f.t)(f.CreateOrganization(f.t.Context(), n))
}

func object(pairs ...any) claims.Object {
	o := claims.Object{}
	for i := 0; i < len(pairs); i += 2 {
		o[pairs[i].(string)] = pairs[i+1]
	}
	return o
}

// num is a number as it is read back.
func num(digits string) json.Number { return json.Number(digits) }
