package caddymodule_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// A front is a proxy that asks attest_verify, before the app that an attest stands before
// too.
type front struct {
	*site
	door    string        // of attest_verify
	address string        // of the front
	status  func(int) int // what it makes of the status of a refusal
	removes bool          // it removes headers in every spelling itself
}

const verifyRoute = `
		forward_jwt X-Session-Jwt
		copy_claims member.member_id>X-User-Id
		login https://login.example.com/in http://127.0.0.1
	}
`

// verifySite has an attest at PORT, attest_verify at DOOR and what front adds at FRONT.
func verifySite(t *testing.T, family, rest string) *front {
	t.Helper()
	door, own := freePort(t), freePort(t)
	text := terminatedSite + strings.TrimPrefix(strings.Replace(head, "\t\tstore bolt", "\t\tshared_upstream APP\n\t\tstore bolt", 1), "{\n") + `
http://127.0.0.1:PORT {
	attest_api
	attest acme {` + verifyRoute + `	reverse_proxy APP
}
http://127.0.0.1:DOOR {
	log {
		output file DIR/access
		format attest
	}
	attest_verify acme {
		for ` + family + verifyRoute + `
}
` + rest
	f := &front{site: newSite(t, strings.NewReplacer("DOOR", fmt.Sprint(door), "FRONT", fmt.Sprint(own)).Replace(text)), address: fmt.Sprintf("127.0.0.1:%d", own), status: func(s int) int { return s }}
	f.door = fmt.Sprintf("127.0.0.1:%d", door)
	return f
}

func caddyFront(t *testing.T) *front {
	return verifySite(t, "caddy", `http://127.0.0.1:FRONT {
`+shipped(t, "front.Caddyfile", "\troute {\n", "\n}\n", "localhost:9102", "127.0.0.1:DOOR", "localhost:3000", "APP")+`
}
`)
}

// shipped is a part of a file in examples/verify, with words replaced.
func shipped(t *testing.T, name, from, to string, words ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "examples", "verify", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	begin, end := strings.Index(text, from), strings.LastIndex(text, to)
	if begin < 0 || end < begin {
		t.Fatalf("%s has changed its form", name)
	}
	for i := 0; i < len(words); i += 2 {
		if !strings.Contains(text, words[i]) {
			t.Fatalf("%s does not hold %q", name, words[i])
		}
	}
	return strings.NewReplacer(words...).Replace(text[begin:end])
}

// nginxFront is the nginx of the system with the shipped file.
func nginxFront(t *testing.T) *front {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no nginx")
		}
		t.Skip("nginx is not installed")
	}
	f := verifySite(t, "nginx", "")
	f.status = func(s int) int {
		if s >= 400 && s < 500 && s != 401 {
			return 403
		}
		return s
	}
	app := shipped(t, "nginx.conf", "upstream attest", "}\n", "127.0.0.1:9101", f.door, "127.0.0.1:3000", strings.TrimPrefix(f.app.URL, "http://"), "listen 80;", "listen "+f.address+";") + "}\n"
	f.must(os.WriteFile(filepath.Join(f.dir, "app.conf"), []byte(app), 0o600))
	main := fmt.Sprintf(`daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log info;
events {
}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	include %[1]s/app.conf;
}
`, f.dir)
	f.must(os.WriteFile(filepath.Join(f.dir, "nginx.conf"), []byte(main), 0o600))
	server := exec.Command(binary, "-p", f.dir, "-e", filepath.Join(f.dir, "nginx.log"), "-c", filepath.Join(f.dir, "nginx.conf"))
	f.must(server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	awaitListener(t, f.address)
	return f
}

func awaitListener(t *testing.T, address string) {
	t.Helper()
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", address)
}

// ask sends a request to one of the two doors and answers what came back and what reached
// the app, nil if nothing did.
func (f *front) ask(address, method, target string, header http.Header) (*http.Response, *http.Request) {
	f.t.Helper()
	r, err := http.NewRequest(method, "http://"+address+"/", nil)
	f.must(err)
	r.URL.Opaque = target // as it stands
	r.Header = header.Clone()
	_, before := f.app.seen()
	res := f.do(r)
	up, after := f.app.seen()
	if after == before {
		up = nil
	}
	return res, up
}

func (f *front) direct() string { return fmt.Sprintf("127.0.0.1:%d", f.port) }

// cookie is that of a fresh session.
func (f *front) cookie() string {
	f.t.Helper()
	_, made := f.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": f.token(nil)})
	return "__Host-session=" + made["session_token"].(string)
}

// An asking is a request that is decided alike in place and through another proxy.
type asking struct {
	name, method, target string
	header               map[string]string // ORIGIN is that of the door
	status               int               // in place
	code                 string
	alone                string // the code where another proxy could not do what is done in place
}

func (f *front) rows() []asking {
	bearer, cookie := "Bearer "+f.token(nil), f.cookie()
	forged := map[string]string{"Authorization": bearer, "X-Session-Jwt": "forged", "X-User-Id": "forged", "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/admin"}
	return []asking{
		{"no credential", "GET", "/", nil, 401, "no_credential", ""},
		{"a page without a session", "GET", "/a?b=c", map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 302, "no_credential", ""},
		{"a bad token", "GET", "/", map[string]string{"Authorization": "Bearer " + f.token(trusttest.Claims{"aud": "x"})}, 401, "invalid_trusted_auth_token", ""},
		{"the third party's token and forged headers", "GET", "/a?b=c", forged, 200, "", ""},
		{"a POST with a token", "POST", "/", map[string]string{"Authorization": bearer}, 200, "", ""},
		{"a cookie", "GET", "/", map[string]string{"Cookie": "a=b; " + cookie + "; c=d"}, 200, "", ""},
		{"a POST of the same origin", "POST", "/", map[string]string{"Cookie": cookie, "Origin": "http://ORIGIN"}, 200, "", ""},
		{"a POST of another origin", "POST", "/", map[string]string{"Cookie": cookie, "Origin": "http://evil.test"}, 403, "cross_site_request", ""},
		{"a POST of another port", "POST", "/", map[string]string{"Cookie": cookie, "Origin": "http://127.0.0.1:1"}, 403, "cross_site_request", ""},
		{"a POST of another site", "POST", "/", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 403, "cross_site_request", ""},
		{"a POST that shows its method as GET", "POST", "/", map[string]string{"Cookie": cookie, "X-Original-Method": "GET", "X-Forwarded-Method": "GET"}, 403, "cross_site_request", ""},
		{"a WebSocket of another site", "GET", "/", map[string]string{"Cookie": cookie, "Origin": "http://evil.test", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw=="}, 403, "cross_site_request", ""},
		{"a path with a dot segment", "GET", "/a/%2e%2e/b", map[string]string{"Authorization": bearer}, 400, "ambiguous_path", ""},
		{"another path is shown", "GET", "/a/%2e%2e/b", map[string]string{"Authorization": bearer, "X-Original-URI": "/", "X-Forwarded-Uri": "/"}, 400, "ambiguous_path", ""},
		{"two cookies", "GET", "/", map[string]string{"Cookie": cookie + "; __Host-session=x"}, 400, "too_many_credentials", ""},
		{"a header in another spelling", "GET", "/", map[string]string{"Authorization": bearer, "X~Session~Jwt": "forged"}, 200, "", "unremovable_header"},
		{"the project's secret", "GET", "/", map[string]string{"Authorization": "Basic cHJvamVjdC10ZXN0LTE6eA=="}, 404, "route_not_found", ""},
		{"a credential of the app's own", "GET", "/", map[string]string{"Authorization": "Basic YTpi", "Cookie": cookie}, 200, "", ""},
	}
}

// decidedAlike sends each request to the attest and through the proxy.
func (f *front) decidedAlike() {
	for _, row := range f.rows() {
		f.t.Run(row.name, func(t *testing.T) {
			var seen [2]*http.Request
			for i, address := range []string{f.direct(), f.address} {
				header := make(http.Header)
				for name, value := range row.header {
					header[http.CanonicalHeaderKey(name)] = []string{strings.ReplaceAll(value, "ORIGIN", address)}
				}
				res, up := f.ask(address, row.method, row.target, header)
				seen[i] = up
				status, code := row.status, row.code
				if i == 1 {
					if row.alone != "" && !f.removes {
						status, code = 400, row.alone
					}
					status = f.status(status)
				}
				got, _, _ := strings.Cut(res.Header.Get("Attest-Error"), ";")
				if code == "route_not_found" && i == 0 {
					got = code // its answer is the API's
				}
				if res.StatusCode != status || got != code || (up != nil) != (status == 200) {
					t.Fatalf("at %s: got %d %q, the app saw %v; want %d %q", []string{"attest", "the proxy"}[i], res.StatusCode, got, up != nil, status, code)
				}
				f.sameAnswer(t, row, res)
			}
			if seen[1] != nil {
				sameRequest(t, row, seen[0], seen[1])
			}
		})
	}
}

func (f *front) sameAnswer(t *testing.T, row asking, res *http.Response) {
	t.Helper()
	if row.status == 302 {
		if location := res.Header.Get("Location"); !strings.HasPrefix(location, "https://login.example.com/in?return_to=") || !strings.Contains(res.Header.Get("Set-Cookie"), "__Host-attest-login=1") {
			t.Errorf("sent to %q with cookie %q", location, res.Header.Get("Set-Cookie"))
		}
	}
	if row.status == 401 && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("no challenge: %v", res.Header)
	}
	if row.code == "too_many_credentials" && len(res.Header["Set-Cookie"]) < 2 {
		t.Errorf("the cookies are not cleared: %v", res.Header)
	}
}

// sameRequest compares what of the identity reached the app.
func sameRequest(t *testing.T, row asking, inPlace, through *http.Request) {
	t.Helper()
	if through.Method != inPlace.Method || through.RequestURI != inPlace.RequestURI {
		t.Errorf("the app saw %s %s, and %s %s in place", through.Method, through.RequestURI, inPlace.Method, inPlace.RequestURI)
	}
	for _, name := range []string{"X-User-Id", "Authorization", "Cookie", "X-Http-Method-Override", "X-Original-Url", "X~session~jwt"} {
		if a, b := inPlace.Header.Values(name), through.Header.Values(name); strings.Join(a, "|") != strings.Join(b, "|") {
			t.Errorf("%s: the app saw %q, and %q in place", name, b, a)
		}
	}
	for _, r := range []*http.Request{inPlace, through} {
		if jwt := r.Header["X-Session-Jwt"]; len(jwt) != 1 || !strings.HasPrefix(jwt[0], "eyJ") || r.Header.Get("X-User-Id") == "" {
			t.Errorf("the app saw %v", r.Header)
		}
		for name, lines := range r.Header {
			for _, value := range []string{row.header["Authorization"], "__Host-session", "forged"} {
				if value != "" && !strings.HasPrefix(value, "Basic") && strings.Contains(strings.Join(lines, " "), value) {
					t.Errorf("the app saw %s: %q", name, lines)
				}
			}
		}
	}
}

// P-02: whatever is decided in place is decided behind Caddy's own forward_auth, and the app sees
// the same.
func TestCaddyVerifyBehindForwardAuth(t *testing.T) {
	f := caddyFront(t)
	f.decidedAlike()
	if log := f.accessLog(); strings.Contains(log, "eyJ") {
		t.Errorf("the access log holds a JWT: %s", log)
	} else if !strings.Contains(log, `"X-Session-Jwt":`) {
		t.Errorf("the access log does not show the answers: %s", log)
	}
}

// The same behind the nginx of the system, with the shipped file: it removes other spellings
// itself, and what it knows no status for is 403. Without a gateway nothing passes.
func TestCaddyVerifyBehindNginx(t *testing.T) {
	f := nginxFront(t)
	f.removes = true
	f.decidedAlike()
	bearer := http.Header{"Authorization": {"Bearer " + f.token(nil)}}
	f.must(caddy.Stop())
	if res, up := f.ask(f.address, "GET", "/", bearer); res.StatusCode != 503 || up != nil {
		t.Errorf("without a gateway: got %d, and the app saw %v", res.StatusCode, up != nil)
	}
}

func (f *front) accessLog() string {
	data, err := os.ReadFile(filepath.Join(f.dir, "access"))
	f.must(err)
	return string(data)
}

const verifyHead = `{
	servers {
		trusted_proxies static TRUSTED
	}
`

// Only a trusted proxy may ask, with a whole question, about a host that is the site's.
func TestCaddyVerifyAnswersTrustedProxiesOnly(t *testing.T) {
	text := strings.TrimPrefix(head, "{\n") + "\nhttp://127.0.0.1:PORT {\n\tattest_verify acme {\n\t\tfor caddy\n\t\thosts app.example.com\n\t}\n}\n"
	s := newSite(t, strings.Replace(verifyHead, "TRUSTED", "127.0.0.1", 1)+text)
	question := func(host string) []string {
		return []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/", "X-Forwarded-Host", host, "X-Forwarded-Proto", "https", "Authorization", "Bearer " + s.token(nil)}
	}
	for host, want := range map[string]int{"app.example.com": 200, "127.0.0.1": 200, "other.example.com": 403} {
		if res := s.get("/", question(host)...); res.StatusCode != want || (want == 200) != strings.HasPrefix(res.Header.Get("Authorization"), "Bearer eyJ") {
			t.Errorf("%s: got %d %v", host, res.StatusCode, res.Header)
		}
	}
	refused(t, s.get("/", question("other.example.com")...), 403, "unknown_host")
	refused(t, s.get("/", question("app.example.com")[2:]...), 400, "invalid_forwarded_request")
	refused(t, s.get("/", append(question("app.example.com"), "X-Forwarded-Proto", "http")...), 400, "invalid_forwarded_request")
	if calls := func() int { _, n := s.app.seen(); return n }(); calls > 0 {
		t.Errorf("the app was called %d times", calls)
	}
	s.must(s.load(strings.Replace(verifyHead, "TRUSTED", "192.0.2.1", 1) + text))
	refused(t, s.get("/", question("app.example.com")...), 403, "untrusted_proxy")
	err := s.load("{\n" + text)
	if err == nil || !strings.Contains(err.Error(), "the server has no trusted_proxies") || !strings.Contains(err.Error(), "Caddyfile:") {
		t.Errorf("without trusted_proxies: got %v", err)
	}
}

// An attest before it would judge the question, which is a GET, instead of the request.
func TestCaddyVerifyBehindAttestIsAnError(t *testing.T) {
	s := newSite(t, terminatedSite+strings.TrimPrefix(head, "{\n")+"\nhttp://127.0.0.1:PORT {\n\tattest off\n\tattest_verify acme {\n\t\tfor caddy\n\t}\n}\n")
	res := s.get("/", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/", "X-Forwarded-Host", "127.0.0.1", "X-Forwarded-Proto", "https", "Authorization", "Bearer "+s.token(nil))
	refused(t, res, 500, "internal_server_error")
}

// What another proxy has behind it is not known here: paths that it may read as others are
// refused, unless the operator says otherwise.
func TestCaddyVerifyJudgesPathsStrictly(t *testing.T) {
	for line, want := range map[string]int{"": http.StatusBadRequest, "unsafe_paths pass": http.StatusOK} {
		f := verifySite(t, "caddy", "")
		f.must(f.load(strings.NewReplacer("DOOR", strings.TrimPrefix(f.door, "127.0.0.1:"), "login https://login.example.com/in http://127.0.0.1\n", line+"\n").Replace(strings.Replace(f.text, "reverse_proxy APP", "respond ok", 1))))
		r, err := http.NewRequest(http.MethodGet, "http://"+f.door+"/", nil)
		f.must(err)
		for name, value := range map[string]string{
			"Authorization": "Bearer " + f.token(nil), "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/a%2Fb", "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "http",
		} {
			r.Header.Set(name, value)
		}
		if res := f.do(r); res.StatusCode != want {
			t.Errorf("%q: %d %s, want %d", line, res.StatusCode, res.Header.Get("Attest-Error"), want)
		}
	}
}
