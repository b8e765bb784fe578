package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/sealed"
	"github.com/attestgate/caddy-attest/trust"
)

// The stores in ../testdata/stores were written by earlier releases (see its
// README). This release opens each as a gateway would and repeats the requests and
// calls that were recorded: every answer must still contain what was answered then.

const (
	oldStores      = "../testdata/stores"
	oldStoreSecret = "the secret that the stores of earlier releases are sealed with"
)

// A recording is what a gateway of an earlier release answered over a store.
type recording struct {
	// Now is the moment at which the gateway is opened.
	Now time.Time `json:"now"`
	// Keys are the key sets of the issuers, by profile.
	Keys map[string]json.RawMessage `json:"keys"`
	// JWKS is what the gateway published.
	JWKS json.RawMessage `json:"jwks"`
	// Requests were proxied and Calls made of the session API, in this order.
	Requests []recordedRequest `json:"requests"`
	Calls    []recordedCall    `json:"calls"`
}

// A recordedRequest shows one credential.
type recordedRequest struct {
	Why    string        `json:"why"`
	Bearer string        `json:"bearer"`
	Status int           `json:"status"`
	Claims claims.Object `json:"claims,omitempty"` // of the injected JWT
}

type recordedCall struct {
	Why    string        `json:"why"`
	Method string        `json:"method"`
	Path   string        `json:"path"`
	Body   claims.Object `json:"body,omitempty"`
	Status int           `json:"status"`
	Answer claims.Object `json:"answer"`
}

func TestStoresOfEarlierReleases(t *testing.T) {
	recordings, err := filepath.Glob(filepath.Join(oldStores, "*", "*.json.gz"))
	if err != nil || len(recordings) < 4 {
		t.Fatalf("recordings: %v, %v", recordings, err)
	}
	for _, path := range recordings {
		base := strings.TrimSuffix(path, ".json.gz")
		dialect, backend, _ := strings.Cut(filepath.Base(base), "-")
		t.Run(filepath.Base(filepath.Dir(path))+"/"+dialect+"/"+backend, func(t *testing.T) {
			r := readRecording(t, path)
			r.replay(openOldStore(t, r, dialect, restored(t, backend, base+".store.gz", r.Now)))
		})
	}
}

// restored is a backend that holds what was packed.
func restored(t *testing.T, backend, path string, now time.Time) watchedStore {
	t.Helper()
	if backend == "bolt" {
		file := filepath.Join(t.TempDir(), "attest.db")
		if err := os.WriteFile(file, unpack(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
		return openBolt(t, file, now)
	}
	server := redistest.Start(t)
	restore(t, server.Addr, unpack(t, path))
	return openRedis(t, server, now)
}

func readRecording(t *testing.T, path string) *recording {
	t.Helper()
	r := &recording{}
	d := json.NewDecoder(bytes.NewReader(unpack(t, path)))
	d.UseNumber()
	if err := d.Decode(r); err != nil {
		t.Fatal(err)
	}
	return r
}

type watchedStore interface {
	store.Store
	store.Watcher
}

func openBolt(t *testing.T, path string, now time.Time) watchedStore {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openRedis(t *testing.T, server *redistest.Server, now time.Time) watchedStore {
	t.Helper()
	c := config(server)
	c.Now = func() time.Time { return now }
	s, err := redis.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openOldStore is a gateway of today over the store, and its route.
func openOldStore(t *testing.T, r *recording, dialect string, s watchedStore) (*world, *proxy.Route) {
	t.Helper()
	c := &clock{now: r.Now}
	opened, err := sealed.New(s, [][]byte{[]byte(oldStoreSecret)}, sealed.Options{
		Now:   c.Now,
		Fault: func(ref store.Ref) { t.Errorf("a record does not open: %+v", ref) },
	})
	if err != nil {
		t.Fatal(err)
	}
	route := &proxy.Route{Route: authn.Route{Any: true}}
	return newWorld(t, oldSetup(c, dialect, r.Keys), routes(route), func(s *setup) {
		s.store = &faulty{Store: opened, Watcher: opened}
	}), route
}

// oldSetup is the configuration that the stores were written with. In dialect
// "compat" it is the same under compat, with users.
func oldSetup(c *clock, dialect string, keys map[string]json.RawMessage) option {
	return func(s *setup) {
		s.clock = c
		s.profiles = oldProfiles()
		s.organizations = []directory.Organization{
			{ID: "corp", Name: "Corp", Slug: "corp", ExternalID: "corp-1", Profiles: []string{"corp", "keyed", "device"},
				TrustedMetadata: claims.Object{"plan": "pro"}},
			{ID: "people", Name: "People", Slug: "people", Profiles: []string{"user"}},
		}
		s.gateway.Core.Idle, s.gateway.Core.JWTLifetime = 40*time.Minute, time.Hour
		template(`{"plan": {{organization.trusted_metadata.plan}}, "name": {{member.name}}, "seat": {{member.trusted_metadata.seat}}}`)(s)
		policy(s)
		if dialect == "compat" {
			s.gateway.Core.Compat, s.gateway.Core.Issuer, s.ring.Algorithm = true, "stytch.com/"+project, "RS256"
			s.gateway.ConsumerOrganization = "people"
		}
		for name, set := range keys {
			source, err := trust.FileKeys(set)
			if err != nil {
				panic(err)
			}
			s.profiles[name].Keys = source
		}
	}
}

// oldProfiles: corp, keyed and device share their people; tenants makes an
// organization for every tenant; made belongs to whatever organization the API
// names; user is the consumers'.
func oldProfiles() map[string]*trust.Config {
	profile := func(name string) *trust.Config {
		return &trust.Config{
			Issuers: []string{"https://" + name + ".test"}, Audiences: []string{"app"}, EmailDomains: []string{"*"}, CreateMembers: true,
			Map:   map[string]string{"roles": "roles", "name": "name"},
			Roles: map[string][]string{"editor": {"editor"}, "reader": {"reader"}},
		}
	}
	all := map[string]*trust.Config{}
	for _, name := range []string{"corp", "keyed", "device", "tenants", "made", "user"} {
		all[name] = profile(name)
	}
	for _, name := range []string{"corp", "keyed", "device"} {
		all[name].Organization = "corp"
	}
	all["keyed"].SessionKey = []string{"sid"}
	all["device"].CreateMembers, all["device"].Factor = false, trust.Factor{Type: "device", SecondOnly: true}
	all["tenants"].Organization, all["tenants"].CreateOrganizations = "{claims.tenant}", true
	return all
}

// replay repeats what was asked, and compares.
func (r *recording) replay(w *world, route *proxy.Route) {
	w.t.Helper()
	if now := bytes.TrimSpace(w.ring.JWKS()); !sameKeys(w.t, now, r.JWKS) {
		w.t.Errorf("JWKS is\n%s, was\n%s", now, r.JWKS)
	}
	for _, each := range r.Requests {
		status, got := w.request(route, each.Bearer)
		if status != each.Status {
			w.t.Errorf("%s: %d, was %d", each.Why, status, each.Status)
			continue
		}
		contains(w.t, each.Why, map[string]any(got), map[string]any(each.Claims))
	}
	for _, each := range r.Calls {
		status, got := w.call(each.Method, each.Path, each.Body)
		if status != each.Status {
			w.t.Errorf("%s: %d %v, was %d", each.Why, status, got, each.Status)
			continue
		}
		contains(w.t, each.Why, map[string]any(got), map[string]any(each.Answer))
	}
}

// sameKeys compares two key sets; the order of keys says nothing.
func sameKeys(t *testing.T, a, b []byte) bool {
	t.Helper()
	ids := func(data []byte) []string {
		set, err := jose.ParseKeySet(data, 100)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, k := range set.Keys {
			list = append(list, k.Algorithm+" "+k.ID) // the id is the key's thumbprint
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(ids(a), ids(b))
}

// request is the status of a proxied request, and the claims that the upstream
// received.
func (w *world) request(route *proxy.Route, bearer string) (int, claims.Object) {
	w.t.Helper()
	up := &upstream{}
	rec := httptest.NewRecorder()
	r := get("Authorization", "Bearer "+bearer)
	w.gateway.Handler(route, up).ServeHTTP(rec, r)
	if rec.Code != http.StatusNoContent {
		return rec.Code, nil
	}
	const scheme = "Bearer "
	return rec.Code, w.decode(up.header.Get("Authorization")[len(scheme):])
}

// contains tells where got lacks what want has. An answer may have gained members
// since it was recorded; it must not have lost or changed one.
func contains(t *testing.T, at string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for name, v := range want {
			contains(t, at+"."+name, object[name], v)
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			t.Errorf("%s is %v, was %v", at, got, want)
			return
		}
		for i, v := range want {
			contains(t, fmt.Sprintf("%s[%d]", at, i), list[i], v)
		}
	default:
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, was %v", at, got, want)
		}
	}
}

func unpack(t *testing.T, path string) []byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// restore sends a dump, which is Redis commands one after another, to a server,
// and reads the replies until that to the last one, an ECHO.
func restore(t *testing.T, address string, commands []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write(append(commands, "ECHO restored\r\n"...)); err != nil {
		t.Fatal(err)
	}
	var replies []byte
	buffer := make([]byte, 4096)
	for !bytes.HasSuffix(replies, []byte("\r\nrestored\r\n")) {
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		replies = append(replies, buffer[:n]...)
	}
	if bytes.Contains(replies, []byte("-ERR")) {
		t.Fatalf("restore: %s", replies)
	}
}
