package session_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/storetest"
)

const (
	org    = "organization-1"
	member = "member-1"
)

var ctx = context.Background()

// fleet is two nodes over one store, with one clock.
type fleet struct {
	t     testing.TB
	clock *storetest.Clock
	store *flaky
	a, b  *session.Manager
}

func newFleet(t testing.TB) *fleet {
	clock := storetest.NewClock()
	f := &fleet{t: t, clock: clock, store: &flaky{Store: memory.New(clock.Now)}}
	f.a, f.b = f.node(session.Config{}), f.node(session.Config{})
	return f
}

// node is one more manager over the fleet's store.
func (f *fleet) node(c session.Config) *session.Manager {
	f.t.Helper()
	c.Store, c.Now, c.IDKey = f.store, f.clock.Now, idKey()
	m, err := session.NewManager(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func idKey() []byte { return []byte("0123456789abcdef0123456789abcdef") }

func (f *fleet) start(d, idle time.Duration) session.Session {
	f.t.Helper()
	s, err := f.a.Start(ctx, session.Start{
		OrganizationID: org, MemberID: member, Duration: d, Idle: idle, Factor: f.proof("github", "t1"),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fleet) token(s session.Session) session.Token {
	f.t.Helper()
	token, ok := f.a.Token(s)
	if !ok {
		f.t.Fatal("no token")
	}
	return token
}

func (f *fleet) proof(profile, tokenID string) session.Factor {
	return session.Factor{
		Profile: profile, Type: "trusted_auth_token", TokenID: tokenID,
		Issuer: "https://issuer.example", ProvedAt: f.clock.Now(), IssuedAt: f.clock.Now(), Email: "ada@example.com", EmailVerified: true,
	}
}

// trusted is a token issued now that is good for an hour.
func (f *fleet) trusted(name string) session.Implicit {
	return session.Implicit{
		Profile: "github", Issuer: "https://issuer.example", OrganizationID: org, MemberID: member,
		Digest: sha256.Sum256([]byte(name)), Until: f.clock.In(time.Hour),
		MaxLifetime: 24 * time.Hour, Factor: f.proof("github", name),
	}
}

// keyed is a token issued now for the session of that key.
func (f *fleet) keyed(name string, key ...string) session.Implicit {
	r := f.trusted(name)
	r.Key = key
	return r
}

func (f *fleet) implicit(m *session.Manager, r session.Implicit) session.Session {
	f.t.Helper()
	s, err := m.Implicit(ctx, r)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// records are those of a session as the store holds them.
func (f *fleet) records(id string) []store.Record {
	f.t.Helper()
	records, err := f.store.Store.Get(ctx, "s:"+id, "s", "a")
	if err != nil {
		f.t.Fatal(err)
	}
	return records
}

// fallBack puts the main record of a session back to what it was, as the
// promotion of a replica that lags does.
func (f *fleet) fallBack(id string, was store.Record) {
	f.t.Helper()
	if is := f.records(id)[0]; is.Exists() {
		f.apply(id, store.Op{Key: "s", Expect: is.Version})
	}
	if was.Exists() {
		f.apply(id, store.Op{Key: "s", Value: was.Value, ExpiresAt: was.ExpiresAt})
	}
}

func (f *fleet) apply(id string, op store.Op) {
	f.t.Helper()
	if err := f.store.Store.Apply(ctx, "s:"+id, op); err != nil {
		f.t.Fatal(err)
	}
}

// wantErr asserts which answer an error is.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// wantFault asserts that an error is none of the answers.
func wantFault(t testing.TB, err error) {
	t.Helper()
	if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrRevoked) {
		t.Fatalf("error is %v, want a fault", err)
	}
}

// errDown is what a store in trouble says.
var errDown = errors.New("store is down")

// flaky is a store that can be told to fail, and counts.
type flaky struct {
	store.Store
	failGet, failApply, failTouch atomic.Bool
	gets, writes, conflicts       atomic.Int64
	// lost makes an Apply happen whose answer does not arrive.
	lost atomic.Bool
	// before, if set, is called once before the next Apply.
	before atomic.Pointer[func()]
}

func (s *flaky) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if s.failGet.Load() {
		return nil, errDown
	}
	s.gets.Add(1)
	return s.Store.Get(ctx, partition, keys...)
}

func (s *flaky) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if fn := s.before.Swap(nil); fn != nil {
		(*fn)()
	}
	if s.failApply.Load() {
		return errDown
	}
	err := s.Store.Apply(ctx, partition, ops...)
	switch {
	case err == nil:
		s.writes.Add(1)
	case errors.Is(err, store.ErrConflict):
		s.conflicts.Add(1)
	}
	if s.lost.Load() {
		return errDown
	}
	return err
}

func (s *flaky) Touch(ctx context.Context, partition, key string, until time.Time) error {
	if s.failTouch.Load() {
		return errDown
	}
	return s.Store.Touch(ctx, partition, key, until)
}

func (s *flaky) once(fn func()) { s.before.Store(&fn) }

func (s *flaky) down(yes bool) {
	s.failGet.Store(yes)
	s.failApply.Store(yes)
	s.failTouch.Store(yes)
}

func (s *flaky) String() string {
	return fmt.Sprintf("%d gets, %d writes", s.gets.Load(), s.writes.Load())
}
