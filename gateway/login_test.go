package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// page is a person going to a page.
func page(target string, more ...string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	for i, list := 0, append([]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, more...); i < len(list); i += 2 {
		r.Header.Set(list[i], list[i+1])
	}
	return r
}

func returnTo(t *testing.T, res *http.Response) (login, back string) {
	t.Helper()
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	back = u.Query().Get("return_to")
	u.RawQuery = ""
	return u.String(), back
}

// What was said before of why answers vary stays said.
func TestLoginKeepsWhatOthersVaryBy(t *testing.T) {
	route := acme()
	route.Login = proxy.Login{URL: "/login"}
	w, answer := newWorld(t, routes(route)), httptest.NewRecorder()
	answer.Header().Set("Vary", "Origin")
	w.gateway.Handler(route, http.NotFoundHandler()).ServeHTTP(answer, page("/a"))
	if vary := answer.Header()["Vary"]; answer.Code != http.StatusFound || len(vary) != 1 || vary[0] != "Origin, Accept, Sec-Fetch-Mode, Sec-Fetch-Dest" {
		t.Errorf("%d %q", answer.Code, vary)
	}
}

// A person without a session is sent to the login, and whatever else has none is told.
func TestLogin(t *testing.T) {
	route := acme()
	route.Login = proxy.Login{URL: "https://login.test/start?client=7", Origin: "https://app.test"}
	local := acme()
	local.Login = proxy.Login{URL: "/login"}
	required := acme()
	required.Login, required.Require = local.Login, []authn.Requirement{{Factors: []string{"trusted_auth_token"}, Within: time.Minute}}
	w := newWorld(t, routes(route, local, required))
	session := w.attest("acme", nil)["session_token"].(string)
	res, up := w.through(route, page("/a/b?c=d&e=%20f"))
	if login, back := returnTo(t, res); res.StatusCode != http.StatusFound || login != "https://login.test/start" || back != "https://app.test/a/b?c=d&e=%20f" || up.calls != 0 {
		t.Errorf("%d to %s, back to %s", res.StatusCode, login, back)
	}
	if u := res.Header.Get("Location"); !strings.Contains(u, "client=7") || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("WWW-Authenticate") != "" || !strings.Contains(res.Header.Get("Vary"), "Sec-Fetch-Mode") {
		t.Errorf("%s %v", u, res.Header)
	}
	res, _ = w.through(local, page("/a", "Cookie", "__Host-session="+session[:len(session)-1]+"x"))
	if login, back := returnTo(t, res); res.StatusCode != http.StatusFound || login != "/login" || back != "/a" || !strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), "\n"), "__Host-session=; Path=/; Max-Age=0") {
		t.Errorf("a dead cookie: %d %v", res.StatusCode, res.Header)
	}
	for what, c := range map[string]struct {
		r    *http.Request
		back string
	}{
		"no Fetch Metadata":          {get("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), "/"},
		"rewritten":                  {web.WithOriginal(page("/index.php"), &url.URL{Path: "/pretty", RawQuery: "x=1"}), "/pretty?x=1"},
		"long":                       {page("/?q=" + strings.Repeat("x", 3000)), ""},
		"what may be another host":   {web.WithOriginal(page("/a"), &url.URL{Path: "//evil.test/x"}), ""},
		"an Authorization of Basic":  {page("/a", "Authorization", "Basic eDp5"), "/a"},
		"who was sent there before":  {page("/a", "Cookie", "__Host-attest-login=1"), "/a"},
		"a count that is no number":  {page("/a", "Cookie", "__Host-attest-login=x"), "/a"},
		"a count that nobody set so": {page("/a", "Cookie", "__Host-attest-login=99"), "/a"},
	} {
		res, _ := w.through(local, c.r)
		if login, back := returnTo(t, res); res.StatusCode != http.StatusFound || login != "/login" || back != c.back {
			t.Errorf("%s: %d to %s, back to %q", what, res.StatusCode, login, back)
		}
	}
	post := page("/a")
	post.Method = "POST"
	for what, c := range map[string]struct {
		r      *http.Request
		route  *proxy.Route
		status int
	}{
		"a fetch":                 {get("Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "text/html"), local, 401},
		"a frame":                 {page("/a", "Sec-Fetch-Dest", "iframe"), local, 401},
		"a program":               {get("Accept", "application/json"), local, 401},
		"anything":                {get("Accept", "*/*"), local, 401},
		"JSON before HTML":        {get("Accept", "text/html;q=0.5, application/json"), local, 401},
		"no Accept":               {get(), local, 401},
		"POST":                    {post, local, 401},
		"a bad bearer":            {page("/a", "Authorization", "Bearer x.y.z"), local, 401},
		"the login itself":        {page("/login"), local, 401},
		"the third time":          {page("/a", "Cookie", "__Host-attest-login=2"), local, 401},
		"a proof that is missing": {page("/a", "Cookie", "__Host-session="+session), required, 204},
		"an ambiguous path":       {page("/x/..;/a"), local, 400},
	} {
		res, _ := w.through(c.route, c.r)
		if res.StatusCode != c.status || res.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", what, res.StatusCode, res.Header.Get("Location"))
		}
	}
	w.clock.Advance(2 * time.Minute)
	res, _ = w.through(required, page("/a", "Cookie", "__Host-session="+session))
	refusedWith(t, res, 401, "insufficient_user_authentication")
	w.store.set(http.ErrServerClosed)
	res, _ = w.through(local, page("/a", "Cookie", "__Host-session="+session))
	if res.StatusCode == http.StatusFound {
		t.Error("an outage sends to the login")
	}
}

func TestLoginsThatCannotBe(t *testing.T) {
	for _, l := range []proxy.Login{
		{URL: "//evil.test"}, {URL: `/\evil.test`}, {URL: "login"}, {URL: "javascript:alert(1)"}, {URL: "https://u:p@login.test"}, {URL: "https://login.test#x"},
		{URL: "/login", Origin: "https://app.test"}, {URL: "https://login.test", Origin: "https://app.test/path"}, {URL: "https://login.test", Origin: "app.test"}, {Origin: "https://app.test"},
	} {
		if l.Check() == nil {
			t.Errorf("%+v", l)
		}
	}
}

// Whoever means it ends the session; a page of another site does not, and neither does a
// browser that fetches ahead.
func TestLogout(t *testing.T) {
	route, off := acme(), &proxy.Route{Off: true}
	w := newWorld(t, routes(route, off), func(s *setup) { s.gateway.Logout = proxy.Logout{Path: "/logout", Then: "/bye"} })
	login := func() string { return w.attest("acme", nil)["session_token"].(string) }
	ask := func(method, session string, header ...string) *http.Response {
		r := httptest.NewRequest(method, "https://app.test/logout", nil)
		r.Header.Set("Cookie", "__Host-session="+session)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, up := w.through(route, r)
		if up.calls > 0 {
			t.Error("the app was asked")
		}
		return res
	}
	alive := func(session string) bool {
		res, _ := w.through(route, get("Cookie", "__Host-session="+session))
		return res.StatusCode == 204
	}
	for what, header := range map[string][]string{
		"POST": {"POST", "Sec-Fetch-Site", "same-origin"},
		"GET":  {"GET", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate"},
	} {
		session := login()
		res := ask(header[0], session, header[1:]...)
		lines := strings.Join(res.Header.Values("Set-Cookie"), "\n")
		if res.StatusCode != 303 || res.Header.Get("Location") != "/bye" || !strings.Contains(lines, "__Host-session=; Path=/; Max-Age=0") || alive(session) {
			t.Errorf("%s: %d to %s, %s, alive %t", what, res.StatusCode, res.Header.Get("Location"), lines, alive(session))
		}
		if res := ask(header[0], session, header[1:]...); res.StatusCode != 303 {
			t.Errorf("%s again: %d", what, res.StatusCode)
		}
		if res := ask(header[0], "nonsense", header[1:]...); res.StatusCode != 303 {
			t.Errorf("%s of no session: %d", what, res.StatusCode)
		}
	}
	session := login()
	for what, c := range map[string]struct {
		header []string
		status int
	}{
		"CSRF: POST from elsewhere":  {[]string{"POST", "Sec-Fetch-Site", "cross-site"}, 403},
		"CSRF: POST without a word":  {[]string{"POST"}, 403},
		"GET from elsewhere":         {[]string{"GET", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"GET without a word":         {[]string{"GET"}, 200},
		"a prefetch":                 {[]string{"GET", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Purpose", "prefetch"}, 200},
		"an image of the site's own": {[]string{"GET", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors"}, 200},
		"HEAD":                       {[]string{"HEAD"}, 200},
		"DELETE":                     {[]string{"DELETE", "Sec-Fetch-Site", "same-origin"}, 405},
	} {
		res := ask(c.header[0], session, c.header[1:]...)
		if res.StatusCode != c.status || !alive(session) {
			t.Errorf("%s: %d, alive %t", what, res.StatusCode, alive(session))
		}
		if c.status == 200 && (res.Header.Get("Content-Security-Policy") == "" || len(res.Header.Values("Set-Cookie")) > 0) {
			t.Errorf("%s: %v", what, res.Header)
		}
	}
	w.store.set(http.ErrServerClosed)
	if res := ask("POST", session, "Sec-Fetch-Site", "same-origin"); res.StatusCode < 500 || len(res.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("an outage: %d %v", res.StatusCode, res.Header)
	}
}

func TestLogoutsThatCannotBe(t *testing.T) {
	for _, l := range []proxy.Logout{{Path: "logout"}, {Path: "//x"}, {Path: "/../x"}, {Path: "/x", Then: "//evil.test"}, {Path: "/x", Then: "javascript:x"}, {Then: "/"}} {
		if l.Check() == nil {
			t.Errorf("%+v", l)
		}
	}
}
