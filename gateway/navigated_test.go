package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/trust"
)

const sender = "https://desk.test"

// navigatedWorld has the profile acme read tokens from the place, at a route that sets the
// cookie.
func navigatedWorld(t *testing.T, place trust.Place, more ...*proxy.Route) (*world, *proxy.Route) {
	t.Helper()
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}, SetCookie: true}}
	return newWorld(t, routes(append(more, route)...), func(s *setup) {
		c := s.profiles["acme"]
		c.TokenFrom, c.ReplayReject, c.MaxTokenAge = place, true, time.Minute
	}), route
}

var (
	inQuery = trust.Place{Query: "token", At: "/sso /start"}
	inForm  = trust.Place{Form: "token", At: "/sso", From: sender}
)

// visit is a person who goes to a page.
func visit(uri string, header ...string) *http.Request {
	r := requestWith("GET", header...)
	r.URL, _ = url.Parse(uri)
	r.RequestURI = uri
	return asNavigation(r, "document")
}

func asNavigation(r *http.Request, dest string) *http.Request {
	for name, value := range map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest, "Sec-Fetch-Site": "cross-site"} {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// post is a page of the origin that posts a form there.
func post(path, origin, form string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", "https://app.test"+path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return asNavigation(r, "iframe")
}

// A reading upstream remembers the request as it came.
type readingApp struct {
	uri, referer, body string
	length             int64
	calls              int
}

func (a *readingApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	a.calls++
	a.uri, a.referer, a.body, a.length = r.URL.RequestURI()+" "+r.RequestURI, r.Header.Get("Referer"), string(data), r.ContentLength
	w.WriteHeader(http.StatusNoContent)
}

func (w *world) reading(route *proxy.Route, r *http.Request) (*http.Response, *readingApp) {
	w.t.Helper()
	app, rec := &readingApp{}, httptest.NewRecorder()
	w.gateway.Handler(route, app).ServeHTTP(rec, r)
	return rec.Result(), app
}

func sessionCookie(resp *http.Response) string {
	for _, c := range resp.Cookies() {
		if c.Name == "__Host-session" && c.MaxAge > 0 {
			return "__Host-session=" + c.Value
		}
	}
	return ""
}

// Who comes with a token in the address has it taken from there, gets a cookie, and goes on
// to the same page.
func TestTokenFromTheQueryIsTakenOnceAndLeavesTheAddress(t *testing.T) {
	w, route := navigatedWorld(t, inQuery)
	token := w.token("acme", nil)
	uri := "/sso?a=%20b&token=" + token + "&c"
	resp, app := w.reading(route, visit(uri))
	expect(t, "a visit", resp, 303, "")
	if h := resp.Header; h.Get("Location") != "/sso?a=%20b&c" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || app.calls != 0 {
		t.Errorf("the answer is %v, and the app was called %d times", h, app.calls)
	}
	cookie := sessionCookie(resp)
	if cookie == "" {
		t.Fatal("no cookie")
	}
	resp, up := w.through(route, visit("/sso?a=%20b&c", "Cookie", cookie))
	expect(t, "going on", resp, 204, "")
	if up.claims["sub"] == nil {
		t.Errorf("the app received %v", up.header)
	}
	resp, _ = w.reading(route, visit(uri))
	expect(t, "somebody else with the address", resp, 401, "token_replayed")
	resp, _ = w.reading(route, visit(uri, "Cookie", cookie))
	expect(t, "the same browser again", resp, 303, "")
	if resp.Header.Get("Set-Cookie") != "" {
		t.Error("a second session")
	}
	w.clock.Advance(2*time.Minute + time.Second)
	resp, _ = w.reading(route, visit("/sso?token="+w.token("acme", claims.Object{"iat": w.clock.Now().Unix() - 130, "jti": "late"})))
	expect(t, "a token older than a minute", resp, 401, "invalid_trusted_auth_token")
}

func TestTokenFromTheQueryOnlyWhereAPersonGoes(t *testing.T) {
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true, SetCookie: true}}
	w, route := navigatedWorld(t, inQuery, optional)
	token := w.token("acme", nil)
	at := func(method, uri string, header ...string) *http.Request {
		r := visit(uri, header...)
		r.Method = method
		return r
	}
	for what, c := range map[string]struct {
		r      *http.Request
		route  *proxy.Route
		status int
		code   string
	}{
		"a prefetch":                {visit("/sso?token="+token, "Sec-Purpose", "prefetch;prerender"), route, 401, "not_a_navigation"},
		"an older prefetch":         {visit("/sso?token="+token, "Purpose", "prefetch"), route, 401, "not_a_navigation"},
		"a prefetch, optional":      {visit("/sso?token="+token, "Sec-Purpose", "prefetch"), optional, 401, "not_a_navigation"},
		"a script":                  {visit("/sso?token="+token, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"), route, 401, "not_a_navigation"},
		"an image":                  {visit("/sso?token="+token, "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"), route, 401, "not_a_navigation"},
		"a frame":                   {visit("/sso?token="+token, "Sec-Fetch-Dest", "iframe"), route, 401, "not_a_navigation"},
		"HEAD":                      {at("HEAD", "/sso?token="+token), route, 401, "not_a_navigation"},
		"POST":                      {at("POST", "/sso?token="+token), route, 401, "not_a_navigation"},
		"another path":              {visit("/ssx?token=" + token), route, 401, "no_credential"},
		"a path below":              {visit("/sso/?token=" + token), route, 401, "no_credential"},
		"another spelling":          {visit("/ss%6f?token=" + token), route, 401, "no_credential"},
		"another parameter":         {visit("/sso?Token=" + token), route, 401, "no_credential"},
		"another path, optional":    {visit("/ssx?token=" + token), optional, 204, ""},
		"two":                       {visit("/sso?token=" + token + "&token=" + token), route, 400, "too_many_credentials"},
		"two spellings":             {visit("/sso?token=" + token + "&t%6fken=" + token), route, 400, "too_many_credentials"},
		"what is no token":          {visit("/sso?token=x"), route, 401, "invalid_trusted_auth_token"},
		"what is none, optional":    {visit("/sso?token=x"), optional, 401, "invalid_trusted_auth_token"},
		"another profile's":         {visit("/sso?token=" + w.token("other", nil)), route, 401, "invalid_trusted_auth_token"},
		"in Authorization":          {bearer(token), route, 401, "invalid_trusted_auth_token"},
		"beside a bad bearer":       {visit("/sso?token="+token, "Authorization", "Bearer x.y.z"), route, 401, "invalid"},
		"a value that has no text":  {visit("/sso?token="), route, 401, "no_credential"},
		"a value that is malformed": {visit("/sso?token=%zz"), route, 401, "invalid_trusted_auth_token"},
	} {
		resp, app := w.reading(c.route, c.r)
		expect(t, what, resp, c.status, c.code)
		if strings.Contains(app.uri, token) && what != "another parameter" {
			t.Errorf("%s: the app received %s", what, app.uri)
		}
	}
	resp, _ := w.reading(route, visit("/start?token="+token)) // nothing of all that has used it up
	expect(t, "the other page", resp, 303, "")
	old := requestWith("GET", "Accept", "text/html,*/*;q=0.8")
	old.URL, _ = url.Parse("/sso?token=" + w.token("acme", claims.Object{"jti": "another"}))
	resp, _ = w.reading(route, old)
	expect(t, "a browser that says nothing of what it does", resp, 303, "")
}

// No upstream sees the parameter, whatever the route.
func TestParameterOfATokenReachesNoUpstream(t *testing.T) {
	off := &proxy.Route{Off: true}
	watching := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, SetCookie: true}, Observe: true}
	w, _ := navigatedWorld(t, inQuery, off, watching)
	for _, route := range []*proxy.Route{off, watching} {
		for _, uri := range []string{"/sso?x=1&token=abc", "/elsewhere?token=abc&x=1", "/sso?t%6Fken=abc&x=1&token"} {
			resp, app := w.reading(route, visit(uri, "Referer", "https://app.test"+uri+"#f"))
			if path, _, _ := strings.Cut(uri, "?"); resp.StatusCode != 204 || app.uri != path+"?x=1 "+path+"?x=1" || app.referer != "https://app.test"+path+"?x=1#f" {
				t.Errorf("%s: %d, the app received %s, %s", uri, resp.StatusCode, app.uri, app.referer)
			}
		}
	}
	token := w.token("acme", nil)
	if resp, _ := w.reading(watching, visit("/sso?token="+token)); resp.StatusCode != 204 || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("a route that observes: %d %v", resp.StatusCode, resp.Header)
	}
}

// A page of another site cannot exchange the session in which a person works for another's.
func TestTokenReplacesNoSessionOfAnotherMember(t *testing.T) {
	for what, c := range map[string]struct {
		place trust.Place
		send  func(token, cookie string) *http.Request
		code  string
	}{
		"a link": {inQuery, func(token, cookie string) *http.Request { return visit("/sso?token="+token, "Cookie", cookie) }, "session_of_another_member"},
		"a form of another site": {inForm, func(token, cookie string) *http.Request {
			return post("/sso", sender, "token="+token, "Cookie", cookie)
		}, "session_of_another_member"},
		"a form of the site's own": {trust.Place{Form: "token", At: "/sso", From: "https://app.test"}, func(token, cookie string) *http.Request {
			return post("/sso", "https://app.test", "token="+token, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
		}, ""},
	} {
		w, route := navigatedWorld(t, c.place)
		session := w.attest("acme", nil)["session_token"].(string)
		w.clock.Advance(time.Second)
		cookie := "__Host-session=" + session
		resp, _ := w.reading(route, c.send(w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"}), cookie))
		if c.code != "" {
			expect(t, what, resp, 403, c.code)
		} else {
			expect(t, what, resp, 303, "")
		}
		resp, _ = w.reading(route, c.send(w.token("acme", claims.Object{"jti": "own"}), cookie))
		expect(t, what+", of the same member", resp, 303, "")
		resp, _ = w.reading(route, c.send(w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com", "jti": "dead"}), "__Host-session="+session[:len(session)-3]+"AAA"))
		expect(t, what+", beside a dead cookie", resp, 303, "")
	}
}

func TestTokenFromAForm(t *testing.T) {
	off := &proxy.Route{Off: true}
	w, route := navigatedWorld(t, inForm, off)
	token := w.token("acme", nil)
	form := "a=1&token=" + token + "&b=2"
	huge := "token=" + token + "&a=" + strings.Repeat("x", 64<<10)
	for what, c := range map[string]struct {
		r      *http.Request
		status int
		code   string
	}{
		"another origin":            {post("/sso", "https://evil.test", form), 403, "cross_site_request"},
		"the origin null":           {post("/sso", "null", form), 403, "cross_site_request"},
		"no origin":                 {post("/sso", "", form), 403, "cross_site_request"},
		"an origin that begins so":  {post("/sso", sender+".evil.test", form), 403, "cross_site_request"},
		"a script":                  {post("/sso", sender, form, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"), 401, "not_a_navigation"},
		"a prefetch":                {post("/sso", sender, form, "Sec-Purpose", "prefetch"), 401, "not_a_navigation"},
		"another path":              {post("/elsewhere", sender, form), 401, "no_credential"},
		"another kind of body":      {post("/sso", sender, form, "Content-Type", "text/plain"), 401, "no_credential"},
		"a query":                   {visit("/sso?token=" + token), 401, "no_credential"},
		"two":                       {post("/sso", sender, form+"&token="+token), 400, "too_many_credentials"},
		"more than it needs":        {post("/sso", sender, huge), 413, "request_too_large"},
		"a form without it":         {post("/sso", sender, "a=1"), 401, "no_credential"},
		"what is no token":          {post("/sso", sender, "token=x"), 401, "invalid_trusted_auth_token"},
		"it stands in another form": {post("/sso", sender, "Token="+token), 401, "no_credential"},
	} {
		resp, app := w.reading(route, c.r)
		expect(t, what, resp, c.status, c.code)
		if app.calls > 0 {
			t.Errorf("%s: the app was called", what)
		}
	}
	resp, _ := w.reading(route, post("/sso?lang=de", sender, form))
	expect(t, "the form", resp, 303, "")
	if resp.Header.Get("Location") != "/sso?lang=de" || sessionCookie(resp) == "" {
		t.Errorf("the answer is %v", resp.Header)
	}
	resp, _ = w.reading(route, post("/sso", sender, form))
	expect(t, "the same form again", resp, 401, "token_replayed")
	resp, app := w.reading(off, post("/sso", sender, form))
	if resp.StatusCode != 204 || app.body != "a=1&b=2" || app.length != int64(len(app.body)) {
		t.Errorf("off: %d, the app received %q of %d", resp.StatusCode, app.body, app.length)
	}
	resp, app = w.reading(off, post("/sso", sender, huge))
	expect(t, "off, more than it needs", resp, 413, "request_too_large")
	if app.calls > 0 {
		t.Errorf("off: the app received %q of a form that was cut off", app.body)
	}
	if _, app = w.reading(off, post("/elsewhere", sender, "a=1&b=2")); app.body != "a=1&b=2" {
		t.Errorf("off: the app received %q", app.body)
	}
	twoLines := post("/sso", sender, form)
	twoLines.Header["Authorization"] = []string{"Bearer a", "Bearer b"}
	if _, app = w.reading(off, twoLines); strings.Contains(app.body, token) {
		t.Error("off, two Authorization lines: the app received the token")
	}
}

// The session API takes a token that stands in an address once, too.
func TestTokenOfANavigationIsUsedUpEverywhere(t *testing.T) {
	w, route := navigatedWorld(t, inQuery)
	token := w.token("acme", nil)
	resp, _ := w.reading(route, visit("/sso?token="+token))
	expect(t, "a visit", resp, 303, "")
	if status, answer := w.call("POST", attestCall, attestBody(token, nil)); status != 400 || answer["error_type"] != "token_replayed" {
		t.Errorf("the API: %d %v", status, answer)
	}
	second := w.token("acme", claims.Object{"jti": "second"})
	w.call("POST", attestCall, attestBody(second, nil))
	resp, _ = w.reading(route, visit("/sso?token="+second))
	expect(t, "after the API", resp, 401, "token_replayed")
}

// A store that is away uses no token up and logs nobody out.
func TestNavigationWhileTheStoreIsAway(t *testing.T) {
	w, route := navigatedWorld(t, inQuery)
	token := w.token("acme", nil)
	w.store.set(store.ErrUnavailable)
	resp, _ := w.reading(route, visit("/sso?token="+token))
	expect(t, "away", resp, 503, "service_unavailable")
	w.store.set(nil)
	resp, _ = w.reading(route, visit("/sso?token="+token))
	expect(t, "back", resp, 303, "")
}

func TestNavigatedPlacesNeedARouteThatSetsTheCookie(t *testing.T) {
	s := defaultSetup()
	c := s.profiles["acme"]
	c.TokenFrom, c.ReplayReject, c.MaxTokenAge = inQuery, true, time.Minute
	s.gateway.Routes = []*proxy.Route{{Route: authn.Route{Profiles: []string{"acme"}}}}
	if err := s.tryNew(t); err == nil || !strings.Contains(err.Error(), "set_cookie") {
		t.Errorf("got %v", err)
	}
}
