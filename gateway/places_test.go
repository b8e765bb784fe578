package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// placedWorld has the profile acme read tokens from the place, and other from Authorization.
func placedWorld(t *testing.T, place trust.Place, more ...*proxy.Route) (*world, *proxy.Route) {
	t.Helper()
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}}}
	w := newWorld(t, routes(append(more, route)...), func(s *setup) { s.profiles["acme"].TokenFrom = place })
	return w, route
}

func requestWith(method string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "https://app.test/x", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header[http.CanonicalHeaderKey(header[i])] = append(r.Header[http.CanonicalHeaderKey(header[i])], header[i+1])
	}
	return r
}

func expect(t *testing.T, what string, resp *http.Response, status int, code string) {
	t.Helper()
	if resp.StatusCode != status || !strings.HasPrefix(resp.Header.Get("Attest-Error"), code) {
		t.Errorf("%s: %d %s, want %d %s", what, resp.StatusCode, resp.Header.Get("Attest-Error"), status, code)
	}
}

func TestTokenFromAHeader(t *testing.T) {
	off := &proxy.Route{Off: true}
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w, route := placedWorld(t, trust.Place{Header: "x-legacy-token", Scheme: "JWT"}, off, optional)
	token, others, alias := w.token("acme", nil), w.token("other", nil), "X_legacy_token"
	for range 2 { // cold and warm
		resp, up := w.through(route, requestWith("POST", "X-Legacy-Token", "jwt "+token, alias, "x", "Sec-Fetch-Site", "cross-site"))
		expect(t, "a token in its place", resp, 204, "")
		if up.claims["sub"] == nil || up.header.Get("X-Legacy-Token") != "" || up.header[alias] != nil {
			t.Errorf("the app received %v", up.header)
		}
	}
	for what, c := range map[string]struct {
		r      *http.Request
		route  *proxy.Route
		status int
		code   string
	}{
		"its token as a bearer":           {bearer(token), route, 401, "invalid_trusted_auth_token"},
		"another profile's in the header": {requestWith("GET", "X-Legacy-Token", "JWT "+others), route, 401, "invalid_trusted_auth_token"},
		"another scheme":                  {requestWith("GET", "X-Legacy-Token", "Bearer "+token), route, 401, "invalid_trusted_auth_token"},
		"no scheme":                       {requestWith("GET", "X-Legacy-Token", token), route, 401, "invalid_trusted_auth_token"},
		"what is no token":                {requestWith("GET", "X-Legacy-Token", "JWT x"), route, 401, "invalid_trusted_auth_token"},
		"what is no token, optional":      {requestWith("GET", "X-Legacy-Token", "JWT x"), optional, 401, "invalid_trusted_auth_token"},
		"two lines":                       {requestWith("GET", "X-Legacy-Token", "JWT "+token, "X-Legacy-Token", "JWT "+token), route, 400, "too_many_credentials"},
		"TRACE":                           {requestWith("TRACE", "X-Legacy-Token", "JWT "+token), route, 405, "method_not_allowed"},
		"a bearer beside it decides":      {requestWith("GET", "X-Legacy-Token", "JWT x", "Authorization", "Bearer "+others), route, 204, ""},
	} {
		resp, up := w.through(c.route, c.r)
		expect(t, what, resp, c.status, c.code)
		if up.header.Get("X-Legacy-Token") != "" {
			t.Errorf("%s: the app received the header", what)
		}
	}
	if resp, up := w.through(off, requestWith("GET", "X-Legacy-Token", "JWT "+token)); resp.StatusCode != 204 || up.header.Get("X-Legacy-Token") != "" {
		t.Errorf("off: %d %v", resp.StatusCode, up.header)
	}
}

func TestTokenFromACookie(t *testing.T) {
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	w, route := placedWorld(t, trust.Place{Cookie: "legacy_login"}, optional)
	token := w.token("acme", nil)
	session := w.attest("acme", nil)["session_token"].(string)
	cookie := func(method, value string, more ...string) *http.Request {
		return requestWith(method, append([]string{"Cookie", "theme=dark; legacy_login=" + value + "; lang=en"}, more...)...)
	}
	resp, up := w.through(route, cookie("GET", token))
	expect(t, "a token in its cookie", resp, 204, "")
	if got := up.header.Get("Cookie"); got != "theme=dark; lang=en" || up.claims["sub"] == nil {
		t.Errorf("the app received %v", up.header)
	}
	for what, c := range map[string]struct {
		r      *http.Request
		route  *proxy.Route
		status int
		code   string
	}{
		"a bad one":                         {cookie("GET", "x.y.z"), route, 401, "invalid_trusted_auth_token"},
		"a bad one, optional":               {cookie("GET", "x.y.z"), optional, 204, ""},
		"CSRF: a POST from elsewhere":       {cookie("POST", token, "Sec-Fetch-Site", "cross-site"), route, 403, "cross_site_request"},
		"CSRF: a POST without a word of it": {cookie("POST", token), route, 403, "cross_site_request"},
		"a POST of the site's own":          {cookie("POST", token, "Sec-Fetch-Site", "same-origin"), route, 204, ""},
		"two different ones":                {cookie("GET", token+"; legacy_login=other"), route, 400, "too_many_credentials"},
		"the session cookie comes first":    {cookie("GET", "x.y.z; __Host-session="+session), route, 204, ""},
	} {
		resp, up := w.through(c.route, c.r)
		expect(t, what, resp, c.status, c.code)
		if strings.Contains(up.header.Get("Cookie"), "legacy_login") {
			t.Errorf("%s: the app received %v", what, up.header["Cookie"])
		}
	}
}

// A header that a proxy in front adds to every request proves nothing of the page that
// made it.
func TestTokenOfAFrontProxyIsAmbient(t *testing.T) {
	w, route := placedWorld(t, trust.Place{Header: "Cf-Access-Jwt-Assertion"})
	token := w.token("acme", nil)
	resp, _ := w.through(route, requestWith("POST", "Cf-Access-Jwt-Assertion", token, "Sec-Fetch-Site", "cross-site"))
	expect(t, "from elsewhere", resp, 403, "cross_site_request")
	resp, _ = w.through(route, requestWith("GET", "Cf-Access-Jwt-Assertion", token))
	expect(t, "a GET", resp, 204, "")
}

func TestPlacesThatCannotBe(t *testing.T) {
	for what, change := range map[string]func(*setup){
		"the session cookie": func(s *setup) { s.profiles["acme"].TokenFrom = trust.Place{Cookie: "__Host-session"} },
		"a header that a route forwards": func(s *setup) {
			s.profiles["acme"].TokenFrom = trust.Place{Header: "X-Jwt"}
			s.gateway.Routes = []*proxy.Route{{Route: authn.Route{Profiles: []string{"acme"}}, Forward: proxy.Forward{Header: "X-JWT"}}}
		},
	} {
		s := defaultSetup()
		change(s)
		if err := s.tryNew(t); err == nil || !strings.Contains(err.Error(), "token_from") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Two profiles may read one header, each after a word of its own.
func TestTokensOfOneHeaderAreToldApartByTheirScheme(t *testing.T) {
	for _, second := range []string{"Beta", ""} {
		route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}}}
		w := newWorld(t, routes(route), func(s *setup) {
			s.profiles["acme"].TokenFrom = trust.Place{Header: "X-Token", Scheme: "Alpha"}
			s.profiles["other"].TokenFrom = trust.Place{Header: "X-Token", Scheme: second}
		})
		resp, _ := w.through(route, requestWith("GET", "X-Token", "alpha "+w.token("acme", nil)))
		expect(t, "the first", resp, 204, "")
		resp, _ = w.through(route, requestWith("GET", "X-Token", strings.TrimSpace(second+" "+w.token("other", nil))))
		expect(t, "the second", resp, 204, "")
		resp, _ = w.through(route, requestWith("GET", "X-Token", "gamma "+w.token("acme", nil)))
		expect(t, "after a word of nobody's", resp, 401, "invalid_trusted_auth_token")
		resp, _ = w.through(route, requestWith("GET", "X-Token", strings.TrimSpace(second+" "+w.token("acme", nil))))
		expect(t, "one in the place of the other", resp, 401, "invalid_trusted_auth_token")
	}
}
