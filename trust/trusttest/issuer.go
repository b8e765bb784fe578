// Package trusttest is an issuer of tokens for tests: a real HTTP server on
// loopback with a key set, and keys to sign anything with, also what no honest
// issuer would.
//
//	idp := trusttest.NewIssuer(t)
//	profile, err := trust.NewProfile(idp.Config("acme"))
//	identity, err := profile.Verify(ctx, idp.Sign(trusttest.Claims{"sub": "u1"}))
//
// Sign fills in what a good token has (iss, aud, sub, iat, exp) and leaves alone
// what it is given; the options bend the rest. Rotate, Down, Hang and Serve are
// the issuer's bad days.
package trusttest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
)

// Audience of the tokens of an Issuer, unless their claims name another.
const Audience = "gateway"

// Issuer signs tokens and serves its public keys.
type Issuer struct {
	// URL is the iss of its tokens, JWKS where its keys are.
	URL, JWKS string
	// Now is the clock its tokens are dated by. Default: time.Now. Set it before the
	// first use.
	Now func() time.Time

	t      testing.TB
	server *httptest.Server

	mu      sync.Mutex
	keys    []Key // the current one first
	answer  http.HandlerFunc
	fetches int
	hanging chan struct{}
}

// NewIssuer starts an issuer with one ES256 key; it ends with the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{t: t, Now: time.Now}
	i.keys = []Key{NewKey(t, jose.ES256)}
	i.server = httptest.NewServer(http.HandlerFunc(i.serve))
	i.URL = i.server.URL
	i.JWKS = i.server.URL + "/.well-known/jwks.json"
	t.Cleanup(func() { i.Up(); i.server.Close() })
	return i
}

// Config is one that accepts the issuer's tokens, with its keys fetched on
// demand.
func (i *Issuer) Config(name string) trust.Config {
	i.t.Helper()
	return trust.Config{Name: name, Issuers: []string{i.URL}, Audiences: []string{Audience}, Keys: i.Keys(trust.RemoteConfig{}), Now: i.Now}
}

// Keys are the issuer's remote keys; the URL and the clock are filled in.
func (i *Issuer) Keys(c trust.RemoteConfig) *trust.RemoteKeys {
	i.t.Helper()
	if c.URL == "" {
		c.URL = i.JWKS
	}
	if c.Now == nil {
		c.Now = i.Now
	}
	keys, err := trust.NewRemoteKeys(c)
	if err != nil {
		i.t.Fatalf("trusttest: remote keys: %v", err)
	}
	return keys
}

// Key is the one the issuer signs with now.
func (i *Issuer) Key() Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[0]
}

// Use makes the key the one that signs, and publishes it beside those before it.
func (i *Issuer) Use(k Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append([]Key{k}, i.keys...)
}

// Rotate signs with a new ES256 key from now on, publishes it and takes all
// others back. It returns the new key.
func (i *Issuer) Rotate() Key {
	i.t.Helper()
	k := NewKey(i.t, jose.ES256)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []Key{k}
	return k
}

// KeySet is the body that the issuer serves.
func (i *Issuer) KeySet() []byte {
	i.t.Helper()
	i.mu.Lock()
	public := make([]jose.Key, len(i.keys))
	for n, k := range i.keys {
		public[n] = k.Public
	}
	i.mu.Unlock()
	body, err := jose.MarshalKeySet(public)
	if err != nil {
		i.t.Fatalf("trusttest: key set: %v", err)
	}
	return body
}

// Fetches counts the requests so far.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}
