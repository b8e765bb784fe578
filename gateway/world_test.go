package gateway_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/api"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	storefleet "github.com/attestgate/caddy-attest/store/fleet"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/trust"
)

const (
	issuer  = "https://gateway.test"
	project = "project-test-1"
	secret  = "secret-test-0123456789-0123456789-0123456789"
)

// A clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time // zero: the real time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.IsZero() {
		return time.Now()
	}
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A faulty store fails on demand, as one that is down does.
type faulty struct {
	store.Store
	store.Watcher
	mu   sync.Mutex
	down error
	puts int
	gets int
	// fails, where set, may fail a Get.
	fails func(partition string, keys []string) error
}

func (f *faulty) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

func (f *faulty) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

func (f *faulty) writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.puts
}

func (f *faulty) reads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gets
}

func (f *faulty) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	f.mu.Lock()
	f.gets++
	err, fails := f.down, f.fails
	f.mu.Unlock()
	if err == nil && fails != nil {
		err = fails(partition, keys)
	}
	if err != nil {
		return nil, err
	}
	return f.Store.Get(ctx, partition, keys...)
}

func (f *faulty) List(ctx context.Context, tag string) ([]store.Ref, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, tag)
}

func (f *faulty) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := f.err(); err != nil {
		return err
	}
	f.mu.Lock()
	f.puts++
	f.mu.Unlock()
	return f.Store.Apply(ctx, partition, ops...)
}

// A world is one gateway with everything behind it, and the issuers it trusts.
type world struct {
	t        *testing.T
	clock    *clock
	store    *faulty
	signers  map[string]*jose.Signer
	set      *trust.Set
	people   *directory.Directory
	sessions *session.Manager
	ring     *mint.Ring
	gateway  *gateway.Gateway
	api      *api.API
	err      error // of gateway.New
}

// An option changes the configuration before the gateway is made.
type option func(*setup)

type setup struct {
	gateway       gateway.Config
	profiles      map[string]*trust.Config
	organizations []directory.Organization
	store         *faulty
	clock         *clock
	session       session.Config
	signers       map[string]*jose.Signer // of the issuers; made where missing
	ring          mint.RingConfig
	node          string // its name in a fleet; none: it is alone
	founding      time.Duration
}

// newWorld has the profiles acme (organization acme, JIT) and other, and no
// route.
func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	s := defaultSetup()
	for _, o := range options {
		o(s)
	}
	w := s.world(t)
	w.must(w.err)
	return w
}

// tryNew is what gateway.New makes of the configuration.
func (s *setup) tryNew(t *testing.T) error { return s.world(t).err }

func (s *setup) world(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: s.clock, store: s.store, signers: map[string]*jose.Signer{}}
	if s.store == nil {
		m := memory.New(s.clock.Now)
		w.store = &faulty{Store: m, Watcher: m}
	}
	w.trust(s)
	w.open(s)
	return w
}

func defaultSetup() *setup {
	person := func(name string) *trust.Config {
		return &trust.Config{
			Issuers: []string{"https://" + name + ".test"}, Audiences: []string{"app"},
			EmailDomains: []string{"*"}, Organization: name, CreateMembers: true, CreateOrganizations: true,
			Map: map[string]string{"roles": "roles", "name": "name"}, Roles: map[string][]string{"editor": {"editor"}, "reader": {"reader"}},
		}
	}
	return &setup{
		clock:    newClock(),
		profiles: map[string]*trust.Config{"acme": person("acme"), "other": person("other")},
		gateway: gateway.Config{Core: authn.Config{
			Issuer:  issuer,
			Project: authn.Project{ID: project, Secrets: []authn.Secret{{Value: secret}}},
		}},
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) trust(s *setup) {
	w.t.Helper()
	var list []*trust.Profile
	for name, c := range s.profiles {
		signer := s.signers[name]
		if signer == nil {
			made, err := jose.NewSigner("ES256", rand.Reader)
			w.must(err)
			signer = made
		}
		w.signers[name] = signer
		if c.Keys == nil {
			set, err := jose.MarshalKeySet([]jose.Key{signer.Key()})
			w.must(err)
			c.Keys, err = trust.FileKeys(set)
			w.must(err)
		}
		c.Name, c.Now = name, w.clock.Now
		p, err := trust.NewProfile(*c)
		w.must(err)
		list = append(list, p)
	}
	set, err := trust.NewSet(list...)
	w.must(err)
	w.set = set
}

func (w *world) open(s *setup) {
	w.t.Helper()
	ctx := w.t.Context()
	var err error
	shared := storefleet.New(w.store)
	shared.Founding = s.founding
	index, err := shared.Key(ctx, "index", rand.Reader)
	w.must(err)
	id, err := shared.Key(ctx, "id", rand.Reader)
	w.must(err)
	w.people, err = directory.New(directory.Config{Store: shared, IndexKey: index, Organizations: s.organizations, Now: w.clock.Now})
	w.must(err)
	s.session.Store, s.session.IDKey, s.session.Now = shared, id, w.clock.Now
	w.sessions, err = session.NewManager(s.session)
	w.must(err)
	s.ring.Store, s.ring.Now = shared, w.clock.Now
	w.ring, err = mint.OpenRing(ctx, s.ring)
	w.must(err)
	minter, err := mint.New(mint.Config{Ring: w.ring, Issuer: s.gateway.Core.Issuer, ProjectID: s.gateway.Core.Project.ID, Compat: s.gateway.Core.Compat, Now: w.clock.Now})
	w.must(err)
	c := s.gateway
	core := &c.Core
	core.Fleet = shared
	if s.node != "" {
		core.Node.ID, core.Nodes = s.node, storefleet.NewNodes(shared)
	}
	core.Profiles, core.Directory, core.Sessions, core.Minter, core.Ring, core.Now = w.set, w.people, w.sessions, minter, w.ring, w.clock.Now
	w.gateway, w.err = gateway.New(c)
	if w.err != nil {
		return
	}
	w.api = w.gateway.API(api.Serve{Keys: true, Sessions: true, Directory: true})
}

// token signs a token of a profile's issuer: good for five minutes, for Ada,
// unless the claims say otherwise. A nil claim is left out.
func (w *world) token(profile string, changes claims.Object) string {
	w.t.Helper()
	now := w.clock.Now().Unix()
	c := claims.Object{
		"iss": "https://" + profile + ".test", "aud": "app", "sub": "ada", "email": "ada@example.com", "email_verified": true,
		"iat": now, "auth_time": now, "exp": now + 300, "jti": fmt.Sprint("t-", now),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	payload, err := strictjson.Marshal(c)
	w.must(err)
	text, err := w.signers[profile].Sign(payload)
	w.must(err)
	return text
}

// routes gives the gateway its routes.
func routes(list ...*proxy.Route) option {
	return func(s *setup) { s.gateway.Routes = append(s.gateway.Routes, list...) }
}

// upstream is what an app behind the gateway received.
type upstream struct {
	header  http.Header
	trailer http.Header
	claims  claims.Object
	calls   int
}

// ServeHTTP remembers the request.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.calls++
	u.header, u.trailer = r.Header.Clone(), r.Trailer.Clone()
	u.claims = nil
	w.WriteHeader(http.StatusNoContent)
}

// through sends a request through a route and answers what the client and the
// upstream saw.
func (w *world) through(route *proxy.Route, r *http.Request) (*http.Response, *upstream) {
	w.t.Helper()
	up := &upstream{}
	rec := httptest.NewRecorder()
	w.gateway.Handler(route, up).ServeHTTP(rec, r)
	if jwt, ok := strings.CutPrefix(up.header.Get("Authorization"), "Bearer "); ok && strings.HasPrefix(jwt, "eyJ") {
		up.claims = w.decode(jwt)
	}
	return rec.Result(), up
}

// decode reads the claims of a JWT of the gateway's, after verifying it with the
// published keys.
func (w *world) decode(text string) claims.Object {
	w.t.Helper()
	t, err := jose.Parse(text)
	w.must(err)
	set, err := jose.ParseKeySet(w.ring.JWKS(), 100)
	w.must(err)
	for _, k := range set.Keys {
		if k.ID == t.Header.KeyID {
			w.must(t.Verify(k))
			c, err := strictjson.Object(t.Payload)
			w.must(err)
			return c
		}
	}
	w.t.Fatalf("the JWKS does not hold the key %s", t.Header.KeyID)
	return nil
}

func get(header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://app.test/", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func bearer(token string) *http.Request { return get("Authorization", "Bearer "+token) }

// call sends a call to the session API with the project's secret, and answers
// the status and the body.
func (w *world) call(method, path string, body any) (int, claims.Object) {
	w.t.Helper()
	text, err := strictjson.Marshal(body)
	w.must(err)
	r := httptest.NewRequest(method, "https://gateway.test"+path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(project, secret)
	return w.send(r)
}

func (w *world) send(r *http.Request) (int, claims.Object) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	described(w.t, r, rec)
	answer, err := strictjson.Object(rec.Body.Bytes())
	if err != nil {
		w.t.Fatalf("%s %s: not JSON: %v", r.Method, r.URL.Path, err)
	}
	return rec.Code, answer
}

// attest is POST …/sessions/attest for a good token, which must succeed.
func (w *world) attest(profile string, body claims.Object) claims.Object {
	w.t.Helper()
	if body == nil {
		body = claims.Object{}
	}
	body["profile_id"] = profile
	if body["token"] == nil {
		body["token"] = w.token(profile, nil)
	}
	status, answer := w.call("POST", "/v1/b2b/sessions/attest", body)
	if status != http.StatusOK {
		w.t.Fatalf("attest: %d %v", status, answer)
	}
	return answer
}

// at takes a member of nested objects by its dotted path.
func at(o claims.Object, path string) any {
	var v any = o
	for name := range strings.SplitSeq(path, ".") {
		inner, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = inner[name]
	}
	return v
}
