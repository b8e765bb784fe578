package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/trust"
)

func acme() *proxy.Route { return &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}} }

func refusedWith(t *testing.T, res *http.Response, status int, code string) {
	t.Helper()
	got, _, _ := strings.Cut(res.Header.Get("Attest-Error"), ";")
	if res.StatusCode != status || got != code {
		t.Errorf("got %d %q, want %d %q", res.StatusCode, got, status, code)
	}
}

func TestTrustedBearerBecomesOneInjectedJWT(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	res, up := w.through(route, bearer(token))
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("got %d %s", res.StatusCode, res.Header)
	}
	if got := up.header["Authorization"]; len(got) != 1 || strings.Contains(got[0], token) {
		t.Errorf("the upstream got %d Authorization lines, or the third party's token", len(got))
	}
	for path, want := range map[string]any{"iss": issuer, "aud": issuer, "organization.slug": "acme"} {
		if got := at(up.claims, path); fmt.Sprint(got) != fmt.Sprint(want) && fmt.Sprint(got) != fmt.Sprint([]any{want}) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if id, _ := at(up.claims, "session.id").(string); id == "" {
		t.Error("the injected JWT names no session")
	}
}

// A legacy login's JWT is a credential until exp + leeway, cached or not, and not
// a second longer.
func TestTrustedBearerEndsWithExpAndLeeway(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil) // 300 s
	for _, step := range []struct {
		advance time.Duration
		status  int
	}{{0, 204}, {300 * time.Second, 204}, {59 * time.Second, 204}, {time.Second, 401}} {
		w.clock.Advance(step.advance)
		if res, _ := w.through(route, bearer(token)); res.StatusCode != step.status {
			t.Errorf("after %s: got %d, want %d (%s)", step.advance, res.StatusCode, step.status, res.Header.Get("Attest-Error"))
		}
	}
}

func TestThousandConcurrentRequestsMakeOneSession(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	var mu sync.Mutex
	seen := map[any]int{}
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range 1000 {
		wg.Go(func() {
			<-begin
			_, up := w.through(route, bearer(token))
			mu.Lock()
			defer mu.Unlock()
			seen[at(up.claims, "session.id")]++
		})
	}
	close(begin)
	wg.Wait()
	if len(seen) != 1 || seen[nil] != 0 {
		t.Fatalf("got %d sessions: %v", len(seen), seen)
	}
}

func TestRevokedImplicitSessionTakesItsTokenWithIt(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	_, up := w.through(route, bearer(token))
	id := at(up.claims, "session.id").(string)
	if status, answer := w.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_session_id": id}); status != 200 {
		t.Fatalf("revoke: %d %v", status, answer)
	}
	res, up := w.through(route, bearer(token))
	refusedWith(t, res, 401, "session_not_found")
	if up.calls != 0 {
		t.Error("the upstream was called")
	}
	if res, _ := w.through(route, bearer(w.token("acme", claims.Object{"jti": "another"}))); res.StatusCode != 204 {
		t.Errorf("another token of the member: %d", res.StatusCode)
	}
}

func TestWrongTokensAreRefusedWithOneCode(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	now := w.clock.Now().Unix()
	good := w.token("acme", nil)
	for name, token := range map[string]string{
		"issuer":         w.token("acme", claims.Object{"iss": "https://evil.test"}),
		"audience":       w.token("acme", claims.Object{"aud": "another"}),
		"key":            w.signWith("other", claims.Object{"iss": "https://acme.test"}),
		"expiry":         w.token("acme", claims.Object{"exp": now - 61, "iat": now - 400}),
		"other profile":  w.token("other", nil),
		"no identity":    w.token("acme", claims.Object{"sub": nil, "email": nil}),
		"truncated":      good[:len(good)-4],
		"none":           "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.e30",
		"five parts":     "eyJhbGciOiJkaXIifQ.a.b.c.d",
		"not base64 url": "eyJhbGciOiJFUzI1NiJ9.e30=.aa",
	} {
		t.Run(name, func(t *testing.T) {
			res, up := w.through(route, bearer(token))
			refusedWith(t, res, 401, "invalid_trusted_auth_token")
			if got := res.Header.Get("WWW-Authenticate"); got != `Bearer error="invalid_token"` {
				t.Errorf("WWW-Authenticate: %s", got)
			}
			if up.calls != 0 {
				t.Error("the upstream was called")
			}
		})
	}
}

func TestWithoutCredential(t *testing.T) {
	route, optional := acme(), &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w := newWorld(t, routes(route, optional))
	res, _ := w.through(route, get())
	refusedWith(t, res, 401, "no_credential")
	if got := res.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	if res, up := w.through(optional, get()); res.StatusCode != 204 || up.header.Get("Authorization") != "" {
		t.Errorf("optional: %d, Authorization %q", res.StatusCode, up.header.Get("Authorization"))
	}
	res, _ = w.through(optional, bearer(w.token("acme", claims.Object{"iss": "https://evil.test"})))
	refusedWith(t, res, 401, "invalid_trusted_auth_token")
}

// A store that is down is never a 401: a client would drop a good session.
func TestStoreDownIs503(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Cache.Entries = -1 })
	cookie := w.attest("acme", nil)["session_token"].(string)
	w.store.set(fmt.Errorf("%w: connection refused", store.ErrUnavailable))
	for name, r := range map[string]*http.Request{
		"trusted token": bearer(w.token("acme", nil)),
		"session token": bearer(cookie),
		"cookie":        get("Cookie", "__Host-session="+cookie),
	} {
		t.Run(name, func(t *testing.T) {
			res, up := w.through(route, r)
			refusedWith(t, res, 503, "service_unavailable")
			if res.Header.Get("Retry-After") == "" || res.Header.Get("Set-Cookie") != "" || up.calls != 0 {
				t.Errorf("Retry-After %q, Set-Cookie %q, upstream calls %d", res.Header.Get("Retry-After"), res.Header.Get("Set-Cookie"), up.calls)
			}
		})
	}
}

func TestSessionCredentials(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	made := w.attest("acme", nil)
	token, jwt := made["session_token"].(string), made["session_jwt"].(string)
	id := at(made, "member_session.member_session_id")
	for name, r := range map[string]*http.Request{
		"session token": bearer(token),
		"session JWT":   bearer(jwt),
		"cookie":        get("Cookie", "a=b; __Host-session="+token+"; c=d"),
	} {
		t.Run(name, func(t *testing.T) {
			res, up := w.through(route, r)
			if res.StatusCode != 204 || at(up.claims, "session.id") != id {
				t.Fatalf("got %d, session %v, want %v", res.StatusCode, at(up.claims, "session.id"), id)
			}
			if strings.Contains(fmt.Sprint(up.header), token) || strings.Contains(fmt.Sprint(up.header), jwt) {
				t.Error("the upstream received the credential")
			}
			if name == "cookie" && up.header.Get("Cookie") != "a=b; c=d" {
				t.Errorf("the other cookies became %q", up.header.Get("Cookie"))
			}
		})
	}
}

func TestBadSessionCredentialsAreRefused(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	made := w.attest("acme", nil)
	token, jwt := made["session_token"].(string), made["session_jwt"].(string)
	id, _, _ := strings.Cut(token, ".")
	flipped := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 32
		case 'A' <= r && r <= 'Z':
			return r + 32
		}
		return r
	}, token[len(id):])
	for name, bad := range map[string]string{
		"truncated":           token[:len(token)-1],
		"extended":            token + "A",
		"case flipped secret": id + flipped,
		"no secret":           id + ".",
		"JWT with a cut tail": jwt[:len(jwt)-2],
	} {
		t.Run(name, func(t *testing.T) {
			if res, up := w.through(route, bearer(bad)); res.StatusCode != 401 || up.calls != 0 {
				t.Errorf("got %d, %d upstream calls", res.StatusCode, up.calls)
			}
		})
	}
}

// An injected JWT goes to an upstream; it is not a credential here.
func TestInjectedJWTIsNoCredential(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	_, up := w.through(route, bearer(w.token("acme", nil)))
	injected := strings.TrimPrefix(up.header.Get("Authorization"), "Bearer ")
	res, _ := w.through(route, bearer(injected))
	refusedWith(t, res, 401, "invalid_session_credential")
	status, answer := w.call("POST", "/v1/b2b/sessions/authenticate", claims.Object{"session_jwt": injected})
	if status == 200 {
		t.Errorf("authenticate took it: %v", answer)
	}
}

func TestExpiredAPIJWTIsRefusedAtTheProxyOnly(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	jwt := w.attest("acme", nil)["session_jwt"].(string)
	w.clock.Advance(5*time.Minute - time.Second)
	if res, _ := w.through(route, bearer(jwt)); res.StatusCode != 204 {
		t.Errorf("a second before its end: %d", res.StatusCode)
	}
	w.clock.Advance(time.Second)
	res, _ := w.through(route, bearer(jwt))
	refusedWith(t, res, 401, "invalid_session_credential")
	if status, answer := w.call("POST", "/v1/b2b/sessions/authenticate", claims.Object{"session_jwt": jwt}); status != 200 {
		t.Errorf("authenticate: %d %v", status, answer)
	}
}

func TestTwoCredentialsOfAKindAreRefused(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.attest("acme", nil)["session_token"].(string)
	two := bearer(token)
	two.Header.Add("Authorization", "Basic eDp5")
	res, up := w.through(route, two)
	refusedWith(t, res, 400, "too_many_credentials")
	if up.calls != 0 {
		t.Error("the upstream was called")
	}
	res, _ = w.through(route, get("Cookie", "__Host-session="+token+"; __Host-session=planted"))
	refusedWith(t, res, 400, "too_many_credentials")
	if res, _ := w.through(route, get("Cookie", "__Host-session="+token+"; __Host-session="+token)); res.StatusCode != 204 {
		t.Errorf("the same value twice: %d", res.StatusCode)
	}
}

// A bad bearer decides alone, also beside a good cookie.
func TestBadBearerBesideGoodCookieIsRefused(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w := newWorld(t, routes(route))
	token := w.attest("acme", nil)["session_token"].(string)
	res, _ := w.through(route, get("Cookie", "__Host-session="+token, "Authorization", "Bearer "+w.token("other", nil)))
	refusedWith(t, res, 401, "invalid_trusted_auth_token")
}

func TestRouteProfilesGateSessions(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"other"}}}
	anyone := &proxy.Route{Route: authn.Route{Any: true}}
	w := newWorld(t, routes(route, anyone))
	token := w.attest("acme", nil)["session_token"].(string)
	res, _ := w.through(route, bearer(token))
	refusedWith(t, res, 401, "profile_not_accepted")
	if res, _ := w.through(anyone, bearer(token)); res.StatusCode != 204 {
		t.Errorf("any: %d", res.StatusCode)
	}
}

func TestFactorCountsOnlyWhileValid(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) { s.profiles["acme"].Factor = trust.Factor{Type: "badge", ValidFor: 10 * time.Minute} })
	token := w.attest("acme", nil)["session_token"].(string)
	w.clock.Advance(10*time.Minute - time.Second)
	if res, _ := w.through(route, bearer(token)); res.StatusCode != 204 {
		t.Errorf("within valid_for: %d", res.StatusCode)
	}
	w.clock.Advance(time.Second)
	res, _ := w.through(route, bearer(token))
	refusedWith(t, res, 401, "profile_not_accepted")
}

func TestRevokedMemberTokensIssuedUntilThen(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	old := w.token("acme", claims.Object{"jti": "old"})
	made := w.attest("acme", nil)
	session, member := made["session_token"].(string), made["member_id"].(string)
	w.clock.Advance(2 * time.Second)
	if status, answer := w.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_id": member}); status != 200 {
		t.Fatalf("revoke: %d %v", status, answer)
	}
	for name, credential := range map[string]string{"session": session, "token issued before": old} {
		if res, _ := w.through(route, bearer(credential)); res.StatusCode != 401 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	w.clock.Advance(time.Second)
	if res, _ := w.through(route, bearer(w.token("acme", claims.Object{"jti": "new"}))); res.StatusCode != 204 {
		t.Errorf("token issued after: %d %s", res.StatusCode, res.Header.Get("Attest-Error"))
	}
}

// A session and its cookie die together; the client is told to drop it.
func TestDeadCookieIsCleared(t *testing.T) {
	route, optional := acme(), &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w := newWorld(t, routes(route, optional))
	token := w.attest("acme", nil)["session_token"].(string)
	w.clock.Advance(time.Hour)
	res, _ := w.through(route, get("Cookie", "__Host-session="+token))
	refusedWith(t, res, 401, "session_not_found")
	for name, res := range map[string]*http.Response{"refused": res, "optional": first(w.through(optional, get("Cookie", "__Host-session="+token)))} {
		if got := res.Header.Get("Set-Cookie"); got != "__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
			t.Errorf("%s: Set-Cookie %q", name, got)
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestIdleSessionEnds(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) {
		s.gateway.Core.Idle = 10 * time.Minute
		s.gateway.Core.SessionDuration = 24 * time.Hour
	})
	token := w.attest("acme", nil)["session_token"].(string)
	for range 5 {
		w.clock.Advance(9 * time.Minute)
		if res, _ := w.through(route, bearer(token)); res.StatusCode != 204 {
			t.Fatalf("in use: %d %s", res.StatusCode, res.Header.Get("Attest-Error"))
		}
		w.settle(token)
	}
	w.clock.Advance(10*time.Minute + time.Second)
	res, _ := w.through(route, bearer(token))
	refusedWith(t, res, 401, "session_not_found")
}

// settle waits until the last access has been written behind the request.
func (w *world) settle(token string) {
	w.t.Helper()
	parsed, err := session.ParseToken(token)
	w.must(err)
	for range 1000 {
		s, err := w.sessions.ByID(w.t.Context(), parsed.SessionID())
		w.must(err)
		if s.LastAccessedAt.Equal(w.clock.Now()) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatal("the last access was not written")
}

func TestYoungJWTIsReused(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	jwt := func() string {
		_, up := w.through(route, bearer(token))
		return up.header.Get("Authorization")
	}
	one := jwt()
	w.clock.Advance(29 * time.Second)
	if jwt() != one {
		t.Error("a fresh JWT was not reused")
	}
	w.clock.Advance(time.Second)
	if jwt() == one {
		t.Error("an old JWT was reused")
	}
}

// signWith signs claims of acme with another issuer's key.
func (w *world) signWith(profile string, changes claims.Object) string {
	return w.token(profile, changes)
}
