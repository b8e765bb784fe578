// Package cache_test runs Caddy's cache module in front of attest. It is a module of
// its own, so that the product does not depend on that one.
package cache_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/caddyserver/cache-handler"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/attestgate/caddy-attest/caddymodule"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

const (
	project = "project-test-1"
	secret  = "secret-test-0123456789-0123456789-0123456789"
)

const caddyfile = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	storage file_system DIR
	cache {
		ttl 60s
	}
	attest {
		issuer http://127.0.0.1:PORT
		store memory
		project PROJECT {
			secret SECRET
		}
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			email_domains example.com
			organization acme
			create members organizations
		}
	}
}

http://127.0.0.1:PORT {
	cache
	attest_api
	attest acme {
		# This cache stores no answer to a request with Authorization, the injected one included.
		forward_jwt X-User-Jwt
		ROUTE
	}
	reverse_proxy APP
}
`

// A site is a Caddy with a cache before attest, and an app that says who asks.
type site struct {
	t     *testing.T
	url   string
	calls *atomic.Int64
	token string // trusted
}

func newSite(t *testing.T, route string) *site {
	t.Helper()
	issuer := trusttest.NewIssuer(t)
	s := &site{t: t, calls: new(atomic.Int64), url: fmt.Sprintf("http://127.0.0.1:%d", unusedPort(t))}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		w.Header().Set("Cache-Control", r.URL.Query().Get("control"))
		_, _ = fmt.Fprintf(w, "page for %q", r.Header.Get("X-User-Jwt"))
	}))
	t.Cleanup(app.Close)
	text := strings.NewReplacer(
		"PORT", s.url[strings.LastIndexByte(s.url, ':')+1:], "DIR", t.TempDir(), "PROJECT", project, "SECRET", secret,
		"ISSUER", issuer.URL, "JWKS", issuer.JWKS, "ROUTE", route, "APP", app.URL,
	).Replace(caddyfile)
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), nil)
	s.must(err)
	s.must(caddy.Load(config, true))
	t.Cleanup(func() { _ = caddy.Stop() })
	s.token = issuer.Sign(trusttest.Claims{"aud": "app", "sub": "ada", "email": "ada@example.com", "email_verified": true})
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func unusedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// get asks for a page and answers status and body.
func (s *site) get(path string, header ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	s.must(err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	return res.StatusCode, string(body)
}

// cookie signs in by the session API.
func (s *site) cookie() string {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"profile_id": "acme", "token": s.token})
	s.must(err)
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/b2b/sessions/attest", bytes.NewReader(body))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(project, secret)
	res, err := http.DefaultClient.Do(r)
	s.must(err)
	defer res.Body.Close()
	var made struct {
		Token string `json:"session_token"`
	}
	s.must(json.NewDecoder(res.Body).Decode(&made))
	return "__Host-session=" + made.Token
}

// A member's page, the injected JWT in it, was served to everybody.
func TestMembersPageIsNotServedFromTheCache(t *testing.T) {
	for _, control := range []string{"", "max-age=60"} {
		path := "/page?control=" + control
		t.Run("attest, "+control, func(t *testing.T) {
			s := newSite(t, "")
			cookie := s.cookie()
			s.member(path, cookie)
			if status, body := s.get(path); status != http.StatusUnauthorized || strings.Contains(body, "eyJ") {
				t.Errorf("an anonymous client got %d %s", status, body)
			}
		})
		t.Run("optional, "+control, func(t *testing.T) {
			s := newSite(t, "optional")
			cookie := s.cookie()
			s.member(path, cookie)
			if status, body := s.get(path); status != http.StatusOK || body != `page for ""` {
				t.Errorf("an anonymous client got %d %s", status, body)
			}
			s.member(path, cookie) // and not the anonymous page
		})
	}
}

// member asks by the cookie, and must see a page of its own.
func (s *site) member(path, cookie string) {
	s.t.Helper()
	if status, body := s.get(path, "Cookie", cookie); status != http.StatusOK || !strings.Contains(body, "eyJ") {
		s.t.Fatalf("the member got %d %s", status, body)
	}
}

// The cache is there: an anonymous page is served from it.
func TestAnonymousPageIsServedFromTheCache(t *testing.T) {
	s := newSite(t, "optional")
	for range 3 {
		if status, body := s.get("/page?control=max-age=60"); status != http.StatusOK || body != `page for ""` {
			t.Fatalf("got %d %s", status, body)
		}
	}
	if calls := s.calls.Load(); calls != 1 {
		t.Errorf("the app was called %d times", calls)
	}
}
