package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// S-05, and no session cookie for who would not keep it.
func TestSetCookieForBrowsersThatArriveWithATrustedToken(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, SetCookie: true}}
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	if res, _ := w.through(route, bearer(token)); res.Header.Get("Set-Cookie") != "" {
		t.Error("a client that is no browser got a cookie")
	}
	r := bearer(token)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	res, _ := w.through(route, r)
	line := res.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-session=session-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=3600"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	if strings.Contains(line, "Domain") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, Cache-Control %q", line, res.Header.Get("Cache-Control"))
	}
	value, _, _ := strings.Cut(strings.TrimPrefix(line, "__Host-session="), ";")
	w.clock.Advance(30 * time.Minute) // long after the token
	if res, up := w.through(route, get("Cookie", "__Host-session="+value)); res.StatusCode != 204 || at(up.claims, "session.id") == nil {
		t.Errorf("the cookie: %d", res.StatusCode)
	}
	again := bearer(w.token("acme", nil))
	again.Header.Set("Sec-Fetch-Mode", "cors")
	again.Header.Set("Cookie", "__Host-session="+value)
	if res, _ := w.through(route, again); res.Header.Get("Set-Cookie") != "" {
		t.Error("a browser with a live cookie got another")
	}
}

// A cookie travels without the user's will, so what changes something must come
// from this origin; a credential in a header does not.
func TestCrossSiteRequestsWithACookie(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.attest("acme", nil)["session_token"].(string)
	for _, c := range []struct {
		name   string
		method string
		header []string
		status int
	}{
		{"a safe method from anywhere", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 204},
		{"same origin", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 204},
		{"cross site", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same site is another host", "POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"cross site with a forged origin", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.test"}, 403},
		{"matching origin", "DELETE", []string{"Origin", "https://app.test"}, 204},
		{"another origin", "POST", []string{"Origin", "https://evil.test"}, 403},
		{"null origin", "POST", []string{"Origin", "null"}, 403},
		{"neither is said", "POST", nil, 403},
		{"upgrade", "GET", []string{"Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://evil.test"}, 403},
		{"upgrade of this origin", "GET", []string{"Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://app.test"}, 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := get(append(c.header, "Cookie", "__Host-session="+token)...)
			r.Method = c.method
			if res, _ := w.through(route, r); res.StatusCode != c.status {
				t.Errorf("got %d %s, want %d", res.StatusCode, res.Header.Get("Attest-Error"), c.status)
			}
			b := bearer(token)
			b.Method = c.method
			for i := 0; i < len(c.header); i += 2 {
				b.Header.Set(c.header[i], c.header[i+1])
			}
			if res, _ := w.through(route, b); res.StatusCode != 204 {
				t.Errorf("with a bearer: %d", res.StatusCode)
			}
		})
	}
}

func TestCookieConfigurationThatBrowsersWouldNotProtect(t *testing.T) {
	for want, c := range map[string]web.Cookie{
		"web: cookie: expected a name that begins with __Host-, so that no other host can set it": {Name: "session"},
		"web: cookie: expected a name that begins with __Secure-, because it has a domain":        {Name: "__Host-session", Domain: "app.test"},
		"web: cookie same_site: expected lax, strict or none":                                     {SameSite: "off"},
		"web: cookie domain: expected a domain in lower case, without a dot before it":            {Domain: ".app.test"},
	} {
		s := defaultSetup()
		s.gateway.Cookie = c
		if err := s.tryNew(t); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The response writer keeps what Caddy and net/http need of it.
func TestAnswerWriterKeepsFlushAndHijack(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	server := httptest.NewServer(w.gateway.Handler(route, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(rw)
		if err := c.Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		if err := c.SetWriteDeadline(time.Time{}); err != nil {
			t.Errorf("deadline: %v", err)
		}
		conn, _, err := c.Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		_ = conn.Close()
	})))
	defer server.Close()
	r, err := http.NewRequest(http.MethodGet, server.URL, nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+w.token("acme", nil))
	res, err := http.DefaultClient.Do(r)
	if err == nil {
		_ = res.Body.Close()
	}
}

// One of two cookies was planted. The browser would send both for ever.
func TestTwoDifferentCookiesAreRefusedAndCleared(t *testing.T) {
	for name, c := range map[string]struct {
		cookie web.Cookie
		lines  []string
	}{
		"host": {web.Cookie{}, []string{
			"__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
			"__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned",
		}},
		"domain": {web.Cookie{Domain: "app.test"}, []string{
			"__Secure-session=; Path=/; Domain=app.test; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
			"__Secure-session=; Path=/; Domain=app.test; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned",
			"__Secure-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
			"__Secure-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned",
		}},
	} {
		route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
		w := newWorld(t, routes(route), func(s *setup) { s.gateway.Cookie = c.cookie })
		cookie, _, _ := strings.Cut(c.lines[0], "=")
		good := w.attest("acme", nil)["session_token"].(string)
		res, up := w.through(route, get("Cookie", cookie+"="+good+"; "+cookie+"=planted"))
		if got := res.Header.Values("Set-Cookie"); res.StatusCode != 400 || up.calls > 0 || !slices.Equal(got, c.lines) {
			t.Errorf("%s: %d, %q", name, res.StatusCode, got)
		}
		if res, _ := w.through(route, get("Cookie", cookie+"="+good+"; "+cookie+"="+good)); res.StatusCode != 204 {
			t.Errorf("%s: the same value twice: %d", name, res.StatusCode)
		}
	}
}

// TRACE answers with the request as the upstream received it, injected JWT
// included, and CONNECT opens a tunnel.
func TestTraceAndConnectWithACredential(t *testing.T) {
	strict, optional := acme(), &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w := newWorld(t, routes(strict, optional))
	token := w.attest("acme", nil)["session_token"].(string)
	for _, method := range []string{"TRACE", "CONNECT"} {
		for _, route := range []*proxy.Route{strict, optional} {
			for _, r := range []*http.Request{bearer(token), bearer(w.token("acme", nil)), get("Cookie", "__Host-session="+token), bearer("a.b.c")} {
				r.Method = method
				if res, up := w.through(route, r); res.StatusCode != 405 || res.Header.Get("Allow") == "" || up.calls > 0 {
					t.Errorf("%s: %d, the upstream was called %d times", method, res.StatusCode, up.calls)
				}
			}
		}
		anonymous := get()
		anonymous.Method = method
		if res, _ := w.through(optional, anonymous); res.StatusCode != 204 {
			t.Errorf("%s without a credential: %d", method, res.StatusCode)
		}
	}
	socket := bearer(token) // RFC 8441
	socket.Method, socket.Header[":protocol"] = "CONNECT", []string{"websocket"}
	if res, _ := w.through(strict, socket); res.StatusCode != 204 {
		t.Errorf("a WebSocket over HTTP/2: %d", res.StatusCode)
	}
}

// A page that came without TLS may be anybody's on the network, and is another
// origin than the one with TLS.
func TestOriginSchemeBehindATLSTerminator(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.attest("acme", nil)["session_token"].(string)
	for _, c := range []struct {
		origin, scheme string
		status         int
	}{
		{"http://app.test", "https", 403}, {"https://app.test", "https", 204},
		{"http://app.test", "http", 204}, {"https://app.test", "http", 204},
		{"http://app.test", "", 204}, {"https://app.test", "", 204}, {"ftp://app.test", "", 403},
	} {
		r := get("Cookie", "__Host-session="+token, "Origin", c.origin, "X-Forwarded-Proto", "https")
		r.Method, r.TLS = http.MethodPost, nil
		if c.scheme != "" {
			r = web.WithScheme(r, c.scheme)
		}
		if res, _ := w.through(route, r); res.StatusCode != c.status {
			t.Errorf("%s where the proxy says %q: %d", c.origin, c.scheme, res.StatusCode)
		}
	}
}

// A page of another origin that is trusted by name may change something, and no other.
// Ports that a scheme has by itself make no other origin.
func TestTrustedOrigins(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) {
		s.gateway.Cookie.TrustedOrigins = []string{"https://app.example.com", "https://b.test:8443"}
	})
	token := w.attest("acme", nil)["session_token"].(string)
	for what, c := range map[string]struct {
		host   string
		header []string
		status int
	}{
		"a trusted one":              {"api.test", []string{"Origin", "https://app.example.com", "Sec-Fetch-Site", "cross-site"}, 204},
		"a trusted one with a port":  {"api.test", []string{"Origin", "https://b.test:8443"}, 204},
		"another port":               {"api.test", []string{"Origin", "https://b.test"}, 403},
		"plain http":                 {"api.test", []string{"Origin", "http://app.example.com"}, 403},
		"below it":                   {"api.test", []string{"Origin", "https://x.app.example.com"}, 403},
		"null":                       {"api.test", []string{"Origin", "null"}, 403},
		"two of them":                {"api.test", []string{"Origin", "https://app.example.com", "Origin", "https://evil.test"}, 403},
		"no Origin":                  {"api.test", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"its own, with the port 443": {"api.test:443", []string{"Origin", "https://api.test"}, 204},
		"its own, with another port": {"api.test:8443", []string{"Origin", "https://api.test"}, 403},
	} {
		r := httptest.NewRequest("POST", "https://"+c.host+"/", nil)
		r.Header.Set("Cookie", "__Host-session="+token)
		for i := 0; i < len(c.header); i += 2 {
			r.Header.Add(c.header[i], c.header[i+1])
		}
		if res, _ := w.through(route, r); res.StatusCode != c.status {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}
	for _, origin := range []string{"app.example.com", "https://app.example.com/", "null", "*", "https://app.example.com:443", "https://"} {
		if (web.Cookie{TrustedOrigins: []string{origin}}).Check() == nil {
			t.Errorf("%s is taken", origin)
		}
	}
}
