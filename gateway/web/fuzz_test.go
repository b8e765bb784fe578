package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Stripping takes the cookie of that name in every spelling that a server reads, and leaves
// the others as they were.
func FuzzStripTakesTheCookieAlone(f *testing.F) {
	for _, line := range []string{"__Host-session=a", "a=b; __Host-session=c; d=e", "__Host-session = a;b=c", "x=__Host-session=1", `a="b; __Host-session=c"`, ";;__Host-session", " __Host-session=a ;\tb=c", "__host-session=a"} {
		f.Add(line, "b=c")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		const name = web.DefaultCookieName
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{one, two}
		before := r.Cookies()
		web.Cookie{Name: name}.Strip(r.Header)
		for _, line := range r.Header["Cookie"] {
			for pair := range strings.SplitSeq(line, ";") {
				if read, _, _ := strings.Cut(pair, "="); strings.TrimSpace(read) == name {
					t.Errorf("%q stays of %q and %q", pair, one, two)
				}
			}
		}
		after := r.Cookies()
		for _, c := range before {
			if c.Name == name {
				continue
			}
			if len(after) == 0 || after[0].Name != c.Name || after[0].Value != c.Value {
				t.Fatalf("%q and %q: %s is lost", one, two, c.Name)
			}
			after = after[1:]
		}
		if len(after) > 0 {
			t.Errorf("%q and %q: %s was made", one, two, after[0].Name)
		}
	})
}

// A request that changes something is this origin's only if its Origin is this host.
func FuzzForeignOriginIsCrossSite(f *testing.F) {
	for _, origin := range []string{"http://app.test", "https://app.test:443", "http://app.test:80", "https://app.test.evil.test", "http://app.test@evil.test", "null", "//app.test", "https://APP.test", "https://app.test:8443", "javascript://app.test", "http://app.test/"} {
		f.Add(origin, "app.test")
	}
	f.Fuzz(func(t *testing.T, origin, host string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Host = host
		r.Header["Origin"] = []string{origin}
		if (web.Cookie{}).CrossSite(r) {
			return
		}
		// What is left of a good origin without its scheme is the host.
		_, rest, _ := strings.Cut(strings.ToLower(origin), "://")
		rest, _, _ = strings.Cut(rest, "/")
		bare := func(h string) string { return strings.TrimSuffix(strings.TrimSuffix(h, ":443"), ":80") }
		if rest = rest[strings.LastIndex(rest, "@")+1:]; bare(rest) != bare(strings.ToLower(host)) {
			t.Errorf("origin %q is taken for host %q", origin, host)
		}
	})
}

// Of one Authorization line a token comes out as it stands, or nothing; of two nothing.
func FuzzCredentialsAreOfTheRequest(f *testing.F) {
	for _, line := range []string{"Bearer a", "bearer\ta", "Bearer  eyJh.b.c", "Basic YTpi", "Bearer", "BEARER session-x.y", "Bearer a b", ""} {
		f.Add(line, "__Host-session=a", false)
	}
	f.Fuzz(func(t *testing.T, line, cookies string, twice bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"], r.Header["Cookie"] = []string{line}, []string{cookies}
		if twice {
			r.Header["Authorization"] = []string{line, "Bearer other"}
		}
		p := web.Credentials(r, web.Cookie{Name: web.DefaultCookieName}, nil)
		if twice && (p.Ambiguous == nil || p.Bearer+p.Opaque+p.Cookie != "") {
			t.Errorf("two lines: %+v", p)
		}
		if token := p.Bearer + p.Opaque; token != "" && (!strings.HasSuffix(strings.TrimSpace(line), token) || p.Bearer != "" && p.Opaque != "") {
			t.Errorf("%q: %q", line, token)
		}
		if p.Bearer != "" && !authn.LooksLikeJWT(p.Bearer) && !authn.LooksLikeSessionToken(p.Bearer) {
			t.Errorf("%q is taken for one of ours", p.Bearer)
		}
		if p.Cookie != "" && !strings.Contains(cookies, p.Cookie) {
			t.Errorf("%q: cookie %q", cookies, p.Cookie)
		}
	})
}
