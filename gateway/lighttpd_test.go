package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// separators are the characters of a header name that are no letters or digits
// (RFC 9110 §5.6.2).
const separators = "!#$%&'*+-.^_`|~"

// lighttpd makes an underscore of every separator, and its CGI programs see one
// variable: the forged one won over the gateway's.
func TestForgedIdentityAtLighttpdCGI(t *testing.T) {
	cgi := lighttpd(t)
	direct := environment(t, cgi, http.Header{"X~User~Jwt": {"forged"}})
	if !strings.Contains(direct, "HTTP_X_USER_JWT=forged") {
		t.Fatalf("lighttpd does not fold as it is known to: %s", direct)
	}
	own, beside, _, _ := identityRoutes()
	w := newWorld(t, routes(own, beside))
	target, err := url.Parse(cgi)
	w.must(err)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	front := httptest.NewServer(w.gateway.Handler(own, proxy))
	t.Cleanup(front.Close)
	for _, separator := range separators {
		name := strings.Join([]string{"X", "User", "Jwt"}, string(separator))
		seen := environment(t, front.URL, http.Header{name: {"forged"}, "Authorization": {"Bearer " + w.token("acme", nil)}})
		if strings.Contains(seen, "forged") || !strings.Contains(seen, "HTTP_X_USER_JWT=eyJ") {
			t.Errorf("%s: the program saw %s", name, seen)
		}
	}
}

// environment is what the CGI program behind address prints.
func environment(t *testing.T, address string, header http.Header) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address+"/env.cgi", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s %v", res.StatusCode, body, err)
	}
	return string(body)
}

// lighttpd starts one with a CGI program that prints its environment, and answers
// its URL.
func lighttpd(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("lighttpd")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no lighttpd")
		}
		t.Skip("lighttpd is not installed")
	}
	dir, port := t.TempDir(), unusedPort(t)
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("env.cgi", "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n", 0o755)
	config := write("lighttpd.conf", fmt.Sprintf(`server.modules = ("mod_cgi")
server.document-root = %q
server.bind = "127.0.0.1"
server.port = %d
cgi.assign = (".cgi" => "/bin/sh")
`, dir, port), 0o644)
	server := exec.Command(binary, "-D", "-f", config)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	awaitListener(t, port)
	return fmt.Sprintf("http://127.0.0.1:%d", port)
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

func awaitListener(t *testing.T, port int) {
	t.Helper()
	for range 600 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody listens on port %d", port)
}
