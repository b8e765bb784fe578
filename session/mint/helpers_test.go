package mint_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/storetest"
)

const (
	issuer  = "https://gw.example.com"
	project = "project-1"
	org     = "organization-1"
	member  = "member-1"
	sid     = "session-01234567-89ab-cdef-0123-456789abcdef"
)

var ctx = context.Background()

// fleet is nodes over one store, with one clock.
type fleet struct {
	t     testing.TB
	clock *storetest.Clock
	store *flaky
}

func newFleet(t testing.TB) *fleet {
	clock := storetest.NewClock()
	return &fleet{t: t, clock: clock, store: &flaky{Store: memory.New(clock.Now)}}
}

// open is the ring of one more node.
func (f *fleet) open(c mint.RingConfig) *mint.Ring {
	f.t.Helper()
	c.Store, c.Now = f.store, f.clock.Now
	r, err := mint.OpenRing(ctx, c)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// rsaPEM is one RSA key for all tests, since making one takes so long.
var rsaPEM = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

// rsa is a ring of RS256.
func (f *fleet) rsa() *mint.Ring {
	f.t.Helper()
	return f.open(mint.RingConfig{Files: [][]byte{rsaPEM()}})
}

func (f *fleet) minter(r *mint.Ring, c mint.Config) *mint.Minter {
	f.t.Helper()
	c.Ring, c.Now = r, f.clock.Now
	if c.Issuer == "" {
		c.Issuer = issuer
	}
	if c.ProjectID == "" {
		c.ProjectID = project
	}
	m, err := mint.New(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// node is a minter with a ring of its own.
func (f *fleet) node() (*mint.Minter, *mint.Ring) {
	f.t.Helper()
	r := f.open(mint.RingConfig{})
	return f.minter(r, mint.Config{}), r
}

// request is one for an API JWT of five minutes.
func (f *fleet) request() mint.Request {
	now := f.clock.Now()
	return mint.Request{
		Session: session.Session{
			ID: sid, OrganizationID: org, MemberID: member,
			StartedAt: now.Add(-time.Hour), LastAccessedAt: now.Add(-time.Minute), ExpiresAt: now.Add(time.Hour),
		},
		Factors: []session.Factor{{
			Profile: "github", Type: "trusted_auth_token", TokenID: "t1", Issuer: "https://issuer.example",
			ProvedAt: now.Add(-2 * time.Hour), CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Minute),
		}},
		Roles:          []string{"editor"},
		OrganizationID: org, OrganizationSlug: "acme", MemberID: member,
		Claims:   claims.Object{"plan": "pro"},
		API:      true,
		Lifetime: 5 * time.Minute,
	}
}

func (f *fleet) mint(m *mint.Minter, r mint.Request) mint.JWT {
	f.t.Helper()
	jwt, err := m.Mint(r)
	if err != nil {
		f.t.Fatal(err)
	}
	return jwt
}

// record is the ring as the store holds it.
func (f *fleet) record() store.Record {
	f.t.Helper()
	records, err := f.store.Store.Get(ctx, "ring", "signing")
	if err != nil {
		f.t.Fatal(err)
	}
	return records[0]
}

// fallBack puts the ring back to what it was, as the promotion of a replica that
// lags does.
func (f *fleet) fallBack(was store.Record) {
	f.t.Helper()
	if is := f.record(); is.Exists() {
		f.apply(store.Op{Key: "signing", Expect: is.Version})
	}
	if was.Exists() {
		f.apply(store.Op{Key: "signing", Value: was.Value})
	}
}

func (f *fleet) apply(op store.Op) {
	f.t.Helper()
	if err := f.store.Store.Apply(ctx, "ring", op); err != nil {
		f.t.Fatal(err)
	}
}

// kids are those of a JWKS, as an upstream reads it.
func kids(t testing.TB, jwks []byte) []string {
	t.Helper()
	var ids []string
	for _, k := range published(t, jwks) {
		ids = append(ids, k.ID)
	}
	return ids
}

func published(t testing.TB, jwks []byte) []jose.Key {
	t.Helper()
	set, err := jose.ParseKeySet(jwks, 100)
	if err != nil || len(set.Dropped) != 0 {
		t.Fatalf("JWKS drops %v, %v", set.Dropped, err)
	}
	return set.Keys
}

// states tells what each key of a ring is for.
func states(r *mint.Ring) map[string]string {
	out := map[string]string{}
	for _, k := range r.Status().Keys {
		out[k.ID] = k.State
	}
	return out
}

// inState are the kids of that state.
func inState(r *mint.Ring, state string) (ids []string) {
	for _, k := range r.Status().Keys {
		if k.State == state {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// verifiesWith tells whether an upstream that holds this JWKS takes the JWT.
func verifiesWith(t testing.TB, jwks []byte, text string) bool {
	t.Helper()
	token, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range published(t, jwks) {
		if k.ID == token.Header.KeyID {
			return token.Verify(k) == nil
		}
	}
	return false
}

// read takes a JWT apart.
func read(t testing.TB, text string) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(text, ".")
	for i, into := range []*map[string]any{&header, &payload} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if *into, err = strictjson.Object(data); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// wantCode asserts why a JWT is refused.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var refused *mint.VerifyError
	if !errors.As(err, &refused) || refused.Code != code || !errors.Is(err, mint.ErrInvalid) {
		t.Fatalf("error is %v, want %s", err, code)
	}
}

var errDown = errors.New("store is down")

// flaky is a store that can be told to fail, and counts.
type flaky struct {
	store.Store
	down      atomic.Bool
	failApply atomic.Bool
	gets      atomic.Int64
	writes    atomic.Int64
	before    atomic.Pointer[func()] // called once before the next Apply
}

func (s *flaky) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	s.gets.Add(1)
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Get(ctx, partition, keys...)
}

func (s *flaky) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if fn := s.before.Swap(nil); fn != nil {
		(*fn)()
	}
	if s.down.Load() || s.failApply.Load() {
		return errDown
	}
	err := s.Store.Apply(ctx, partition, ops...)
	if err == nil {
		s.writes.Add(1)
	}
	return err
}
