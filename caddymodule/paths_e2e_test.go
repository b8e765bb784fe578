package caddymodule_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
)

const pathsHead = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		store memory
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			organization acme
			create members organizations
		}
	}
}
`

// A servlet container reads paths as Tomcat and others do: without parameters, decoded
// until nothing is left to decode, backslashes as slashes, without a dot or space at the
// end of a segment. What of it is below /admin shows whether somebody was identified.
func servletContainer(t *testing.T) (app *httptest.Server, reached func() []string) {
	t.Helper()
	served := make(chan string, 1000)
	app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _, _ := strings.Cut(r.RequestURI, "?")
		for range 3 {
			var b strings.Builder
			for segment := range strings.SplitSeq(strings.ReplaceAll(text, `\`, "/"), "/") {
				segment, _, _ = strings.Cut(segment, ";")
				b.WriteString("/" + segment)
			}
			if decoded, err := url.PathUnescape(b.String()); err == nil {
				text = decoded
			}
		}
		text, _, _ = strings.Cut(text, "\x00")
		text = strings.ToLower(path.Clean("/" + text))
		for segment := range strings.SplitSeq(text, "/") {
			if strings.TrimRight(segment, ". \t\r\n") == "admin" && r.Header.Get("X-Jwt") == "" {
				served <- r.RequestURI
			}
		}
	}))
	t.Cleanup(app.Close)
	return app, func() (list []string) {
		for len(served) > 0 {
			list = append(list, <-served)
		}
		return list
	}
}

// Nobody comes to what one handle protects by a path that another handle takes for its own.
func TestSpellingsOfAProtectedPath(t *testing.T) {
	app, reached := servletContainer(t)
	s := newSite(t, strings.NewReplacer("APP", app.URL).Replace(pathsHead+`http://127.0.0.1:PORT {
	handle /admin* {
		attest acme {
			forward_jwt X-Jwt
		}
		reverse_proxy APP
	}
	handle /public/* {
		attest off
		reverse_proxy APP
	}
	handle_path /static/* {
		attest off
		reverse_proxy APP
	}
	handle {
		attest acme {
			optional
			forward_jwt X-Jwt
		}
		reverse_proxy APP
	}
}
`))
	spellings := []string{
		"/admin", "/ADMIN/x", "//admin/x", "/public/../admin/x", "/public/..;/admin/x", "/public/%2e%2e/admin", "/public/%2e%2e;a=b/admin", "/public/%252e%252e/admin",
		"/public/..%2fadmin", "/public/..%5cadmin", `/public/..\admin`, "/public%2f..%2fadmin", "/%61dmin/x", "/%2561dmin/x", "/;x/admin", "/x;/../admin", "/;/admin", "/.;/admin/",
		"/admin;x/y", "/admin%3bx/y", "/./admin/x", "/%2e/admin", "/%2fadmin", "/%5cadmin/x", `/\admin/x`, "/public/x/..%252f..%252fadmin", "/public/.%2e/admin", "/public/%c0%ae%c0%ae/admin",
		"/static/../admin", "/static/..;/admin", "/static/%2e%2e%2fadmin", "/static/admin", "/static//admin", "/static/;/admin", "/admin%20/x", "/admin%00/x", "/admin./x", "/admin%2e/x", "/admin%09",
		"http:admin", "http:/admin", "x:admin", "/public/%u002e%u002e/admin", "/public/．．/admin", "/public/..%ef%bc%8fadmin", "/x/..%00/admin", "/x/%2e%2e%00/admin", "/%25%32%65%25%32%65/admin",
	}
	for _, spelling := range spellings {
		status := rawGet(t, s.port, spelling)
		if list := reached(); len(list) > 0 && !strings.HasPrefix(spelling, "/static/admin") && !strings.HasPrefix(spelling, "/static//admin") {
			t.Errorf("%q reached %v: %d", spelling, list, status)
		}
	}
	for _, fine := range []string{"/public/a.b", "/x/.well-known", "/static/a%20b", "/public/a..b"} {
		if status := rawGet(t, s.port, fine); status != http.StatusOK {
			t.Errorf("%q: %d", fine, status)
		}
	}
}

// rawGet sends the path as it is.
func rawGet(t *testing.T, port int, path string) int {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", path, port)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0 // the server closed the connection
	}
	res.Body.Close()
	return res.StatusCode
}

// Where another attest asks for more before the same app, spellings are refused that pass
// elsewhere.
func TestPathsAreStrictWhereRoutesDiffer(t *testing.T) {
	app, _ := servletContainer(t)
	for handles, want := range map[string]int{
		"handle {\nattest acme\nreverse_proxy APP\n}":                                                                                       http.StatusOK,
		"handle /a* {\nattest acme\nreverse_proxy APP\n}\nhandle {\nattest acme\nreverse_proxy APP\n}":                                      http.StatusOK,
		"handle /admin* {\nattest acme {\nrequire role admin\n}\nreverse_proxy APP\n}\nhandle {\nattest acme\nreverse_proxy APP\n}":         http.StatusBadRequest,
		"handle /admin* {\nattest acme {\nrequire role admin\n}\nreverse_proxy 127.0.0.1:9\n}\nhandle {\nattest acme\nreverse_proxy APP\n}": http.StatusOK,
	} {
		s := newSite(t, strings.NewReplacer("HANDLES", strings.ReplaceAll(handles, "APP", app.URL)).Replace(pathsHead+`http://127.0.0.1:PORT {
	HANDLES
}
`))
		token := s.issuer.Sign(map[string]any{"aud": "app"})
		if res := s.get("/@scope%2fname", "Authorization", "Bearer "+token); res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", handles, res.StatusCode, res.Header.Get("Attest-Error"), want)
		}
	}
}
