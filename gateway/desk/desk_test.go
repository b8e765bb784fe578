package desk_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/desk"
)

func page(hosts ...string) http.Handler {
	return desk.New(desk.Config{Hosts: hosts, Admin: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
	})})
}

func ask(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader("{}"))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A name that an attacker points at this machine reaches nothing (DNS rebinding), nor
// does a page of another site.
func TestPagesOfOtherSitesReachNothing(t *testing.T) {
	same := []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"}
	for name, c := range map[string]struct {
		method, target string
		header         []string
		status         int
	}{
		"localhost":                   {"GET", "http://localhost:2020/", nil, 200},
		"a loopback address":          {"GET", "http://127.0.0.1:2020/api/status", nil, 200},
		"another one":                 {"GET", "http://[::1]:2020/api/status", nil, 200},
		"a name of the operator's":    {"GET", "http://desk.internal/api/status", nil, 200},
		"a rebound name":              {"GET", "http://evil.example:2020/api/status", nil, 403},
		"an address of the network":   {"GET", "http://10.0.0.1:2020/api/status", nil, 403},
		"a look-alike":                {"GET", "http://localhost.evil.example/api/status", nil, 403},
		"read by another site":        {"GET", "http://localhost:2020/api/status", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, 403},
		"a link from another site":    {"GET", "http://localhost:2020/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"a change of the page":        {"POST", "http://localhost:2020/api/sessions/revoke", same, 200},
		"a form of another site":      {"POST", "http://localhost:2020/api/sessions/revoke", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}, 403},
		"a change without the header": {"POST", "http://localhost:2020/api/sessions/revoke", []string{"Content-Type", "application/json"}, 403},
		"a form":                      {"POST", "http://localhost:2020/api/sessions/revoke", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "text/plain"}, 403},
		"a sibling's":                 {"POST", "http://localhost:2020/api/sessions/revoke", []string{"Sec-Fetch-Site", "same-site", "Content-Type", "application/json"}, 403},
	} {
		if got := ask(page("desk.internal"), c.method, c.target, c.header...).Code; got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
}

// Every answer keeps scripts, frames and caches out.
func TestHeadersOfEveryAnswer(t *testing.T) {
	for _, target := range []string{"http://localhost/", "http://localhost/main.js", "http://localhost/nope", "http://evil.example/"} {
		h := ask(page(), "GET", target, "If-Modified-Since", "Wed, 21 Oct 2099 07:28:00 GMT").Header()
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", target, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || len(h["Set-Cookie"]) > 0 {
			t.Errorf("%s: %v", target, h)
		}
	}
}

func TestAPIPathsAreThoseOfTheAdminAPI(t *testing.T) {
	w := ask(page(), "GET", "http://localhost/api/sessions?profile=a")
	if got := w.Body.String(); got != "GET /attest/sessions?profile=a" {
		t.Error(got)
	}
}

// The files ask for nothing elsewhere and write no markup.
func TestFilesAreHarmless(t *testing.T) {
	for _, name := range []string{"index.html", "desk.css", "main.js", "dom.js", "api.js", "now.js", "explain.js", "templates.js", "sessions.js", "trust.js", "checks.js", "plot.js", "icon.svg"} {
		target := "http://localhost/" + strings.TrimSuffix(name, "index.html")
		w := ask(page(), "GET", target)
		text := w.Body.String()
		if w.Code != 200 || text == "" {
			t.Errorf("%s: %d", name, w.Code)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "sessionStorage", "document.cookie", "https://"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
		if rest := strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""); strings.Contains(rest, "http://") {
			t.Errorf("%s names another origin", name)
		}
	}
}
