package caddymodule_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

const (
	apiSecret   = "secret-test-0123456789-0123456789-0123456789"
	sealSecret  = "a sealing secret of more than thirty-two bytes"
	projectName = "project-test-1"
)

// A site is a Caddy in this process with the module in it, an issuer it trusts,
// and an app behind it. Caddy is one to a process, so tests with a site do not
// run in parallel.
type site struct {
	t      *testing.T
	issuer *trusttest.Issuer
	app    *recorder
	dir    string
	port   int
	text   string // the Caddyfile, before words are replaced
}

// A recorder is an app that remembers what reached it.
type recorder struct {
	*httptest.Server
	mu    sync.Mutex
	last  *http.Request
	calls int
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		r.mu.Lock()
		r.last, r.calls = req, r.calls+1
		r.mu.Unlock()
		if req.URL.Path == "/fail" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = fmt.Fprint(w, req.Header.Get("Authorization"))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) seen() (*http.Request, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.calls
}

// newSite starts Caddy with the Caddyfile. PORT, APP, ISSUER, JWKS and DIR in it
// are replaced.
func newSite(t *testing.T, text string) *site {
	t.Helper()
	s := &site{t: t, issuer: trusttest.NewIssuer(t), app: newRecorder(t), dir: tempDir(t), port: freePort(t), text: text}
	s.must(s.load(text))
	t.Cleanup(func() { _ = caddy.Stop() })
	return s
}

// tempDir is t.TempDir for a Caddy that has just stopped: a fetch of keys that was
// under way may still write its archive.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "attest-site")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 100 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// caddyfile is the text with its words replaced.
func (s *site) caddyfile(text string) string {
	return strings.NewReplacer(
		"PORT", fmt.Sprint(s.port), "APP", s.app.URL, "ISSUER", s.issuer.URL, "JWKS", s.issuer.JWKS, "DIR", s.dir,
		"PROJECT", projectName, "API_SECRET", apiSecret,
	).Replace(text)
}

func (s *site) adapted(text string) ([]byte, error) {
	data, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(s.caddyfile(text)), map[string]any{"filename": "Caddyfile"})
	return data, err
}

func (s *site) load(text string) error {
	data, err := s.adapted(text)
	if err != nil {
		return err
	}
	return caddy.Load(data, true)
}

func (s *site) logged() string {
	data, err := os.ReadFile(filepath.Join(s.dir, "log"))
	s.must(err)
	return string(data)
}

func (s *site) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

// get asks for a path with pairs of header names and values.
func (s *site) get(path string, header ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url(path), nil)
	s.must(err)
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) *http.Response {
	s.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	s.must(err)
	body, err := io.ReadAll(res.Body)
	s.must(err)
	s.must(res.Body.Close())
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res
}

// call posts to the session API and answers status and body.
func (s *site) call(path string, body map[string]any) (int, map[string]any) {
	s.t.Helper()
	text, err := strictjson.Marshal(body)
	s.must(err)
	r, err := http.NewRequest(http.MethodPost, s.url(path), bytes.NewReader(text))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(projectName, apiSecret)
	res := s.do(r)
	answer, err := strictjson.Object(read(s.t, res))
	s.must(err)
	return res.StatusCode, answer
}

func read(t *testing.T, res *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (s *site) token(claims trusttest.Claims) string {
	c := trusttest.Claims{"aud": "app", "sub": "ada", "email": "ada@example.com", "email_verified": true, "jti": fmt.Sprint(time.Now().UnixNano())}
	for name, v := range claims {
		c[name] = v
	}
	return s.issuer.Sign(c)
}

func refused(t *testing.T, res *http.Response, status int, code string) {
	t.Helper()
	got, id, _ := strings.Cut(res.Header.Get("Attest-Error"), "; id=")
	if res.StatusCode != status || got != code || id == "" {
		t.Errorf("got %d %q id %q, want %d %q", res.StatusCode, got, id, status, code)
	}
}

const head = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	grace_period 5s
	storage file_system DIR/storage
	log {
		output file DIR/log
		level DEBUG
	}
	attest {
		issuer http://127.0.0.1:PORT
		store bolt DIR/sessions.db
		project PROJECT {
			secret API_SECRET
		}
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			email_domains example.com
			organization acme
			create members organizations
			map roles roles
			roles editor reader
		}
	}
}
`

const plainSite = head + `
http://127.0.0.1:PORT {
	log {
		output file DIR/access
	}
	attest_api
	attest acme
	reverse_proxy APP
}
`

func TestCaddyTrustedTokenToUpstream(t *testing.T) {
	s := newSite(t, plainSite)
	token := s.token(nil)
	res := s.get("/", "Authorization", "Bearer "+token)
	up, _ := s.app.seen()
	if res.StatusCode != 200 || len(up.Header["Authorization"]) != 1 || strings.Contains(up.Header.Get("Authorization"), token) {
		t.Fatalf("got %d %s; upstream saw %v", res.StatusCode, res.Header, up)
	}
	refused(t, s.get("/"), 401, "no_credential")
	refused(t, s.get("/", "Authorization", "Bearer "+s.token(trusttest.Claims{"aud": "x"})), 401, "invalid_trusted_auth_token")
	if !strings.Contains(s.logged(), "audience_mismatch") {
		t.Error("the log does not say why")
	}
	if access, _ := os.ReadFile(filepath.Join(s.dir, "access")); !strings.Contains(string(access), `"user_id":"member-`) || !strings.Contains(string(access), `"session_id":"session-`) {
		t.Errorf("the access log names no user or session: %s", access)
	}
}

// no third-party token, session token, minted JWT or secret in any log, with
// debug logging on.
func TestCaddyLogsHoldNoToken(t *testing.T) {
	s := newSite(t, plainSite)
	trusted, bad := s.token(nil), s.token(trusttest.Claims{"exp": time.Now().Add(-time.Hour).Unix()})
	status, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
	if status != 200 {
		t.Fatalf("attest: %d %v", status, made)
	}
	cookie := made["session_token"].(string)
	minted := string(read(t, s.get("/", "Authorization", "Bearer "+trusted)))
	s.get("/", "Authorization", "Bearer "+bad)
	s.get("/", "Authorization", "Bearer "+cookie)
	s.get("/", "Cookie", "__Host-session="+cookie)
	s.call("/v1/b2b/sessions/authenticate", map[string]any{"session_jwt": made["session_jwt"]})
	access, err := os.ReadFile(filepath.Join(s.dir, "access"))
	s.must(err)
	logs := s.logged() + string(access)
	for name, secret := range map[string]string{
		"trusted token": trusted, "bad token": bad, "session token": cookie, "API JWT": made["session_jwt"].(string),
		"injected JWT": strings.TrimPrefix(minted, "Bearer "), "project secret": apiSecret,
	} {
		if secret == "" || strings.Contains(logs, secret) || strings.Contains(logs, secret[len(secret)-20:]) {
			t.Errorf("the log holds the %s (%d characters)", name, len(secret))
		}
	}
}

const routedSite = head + `
http://127.0.0.1:PORT {
	handle /own/* {
		attest acme {
			forward_jwt X-User-Jwt
		}
		reverse_proxy APP
	}
	handle /optional/* {
		attest acme {
			optional
			forward_jwt X-User-Jwt
		}
		reverse_proxy APP
	}
	handle /off/* {
		attest off
		reverse_proxy APP
	}
	handle /fail/* {
		attest acme {
			forward_jwt X-User-Jwt
		}
		error 418
	}
	handle {
		attest acme
		reverse_proxy APP
	}
	handle_errors {
		reverse_proxy APP
	}
}
`

// A forged identity header in any spelling, by Connection or in a trailer, never
// reaches an upstream, with or without a good credential, on error routes
// neither.
func TestCaddyForgedIdentityHeaders(t *testing.T) {
	s := newSite(t, routedSite)
	token := s.token(nil)
	for _, path := range []string{"/own/", "/optional/", "/off/", "/fail/", "/"} {
		for _, credential := range []string{"", "Bearer " + token, "Bearer " + token + "x"} {
			for _, spelling := range []string{"X-User-Jwt", "x-user-jwt", "X_User_Jwt", "X.User.Jwt", "X-USER_JWT"} {
				before, calls := s.app.seen()
				s.sendForged(path, spelling, credential)
				up, after := s.app.seen()
				if after == calls || up == before {
					t.Fatalf("%s: nothing reached the app or its error route", path)
				}
				if text := fmt.Sprint(up.Header, up.Trailer); strings.Contains(text, "forged") {
					t.Fatalf("%s as %s, credential %t: %s", path, spelling, credential != "", text)
				}
				if identity := up.Header.Get("X-User-Jwt"); path == "/fail/" && identity != "" {
					t.Errorf("the error route saw the identity: %s", identity)
				}
			}
		}
	}
}

// sendForged writes the request by hand: net/http would not send some of it.
func (s *site) sendForged(path, spelling, credential string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	s.must(err)
	defer conn.Close()
	s.must(conn.SetDeadline(time.Now().Add(5 * time.Second)))
	text := "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + spelling + ": forged\r\nTransfer-Encoding: chunked\r\n" +
		"Trailer: " + spelling + "\r\nConnection: close\r\n"
	if credential != "" {
		text += "Authorization: " + credential + "\r\n"
	}
	_, err = io.WriteString(conn, text+"\r\n2\r\nok\r\n0\r\n"+spelling+": forged\r\n\r\n")
	s.must(err)
	_, err = io.ReadAll(conn)
	s.must(err)
}

// Caddy's proxy removes what Connection names, on its way to the upstream.
func TestCaddyHopByHopDoesNotStripTheIdentity(t *testing.T) {
	s := newSite(t, routedSite)
	token := s.token(nil)
	for _, c := range []struct{ path, hop, header string }{
		{"/own/", "X-User-Jwt", "X-User-Jwt"}, {"/", "Authorization", "Authorization"}, {"/", "keep-alive, authorization", "Authorization"},
	} {
		s.get(c.path, "Authorization", "Bearer "+token, "Connection", c.hop)
		if up, _ := s.app.seen(); !strings.Contains(up.Header.Get(c.header), "eyJ") {
			t.Errorf("%s with Connection: %s: upstream saw %v", c.path, c.hop, up.Header)
		}
	}
}

// A key endpoint that is down is an outage: 503, not 401; and it is over when it
// is over.
func TestCaddyKeyEndpointDownIs503(t *testing.T) {
	s := &site{t: t, issuer: trusttest.NewIssuer(t), app: newRecorder(t), dir: tempDir(t), port: freePort(t)}
	s.issuer.Down()
	s.must(s.load(plainSite))
	t.Cleanup(func() { _ = caddy.Stop() })
	res := s.get("/", "Authorization", "Bearer "+s.token(nil))
	refused(t, res, 503, "service_unavailable")
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.issuer.Up()
	for range 100 {
		if res = s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode == 200 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("still %d after the keys are back", res.StatusCode)
}

// F20: a reload under load drops no request and no session, and keeps the key.
func TestCaddyReloadUnderLoad(t *testing.T) {
	s := newSite(t, plainSite)
	_, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
	cookie := made["session_token"].(string)
	stop, failed := make(chan struct{}), make(chan string, 100)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if problem := s.try(cookie); problem != "" {
					select {
					case failed <- problem:
					default:
					}
				}
			}
		})
	}
	for i := range 20 {
		s.must(s.load(strings.Replace(plainSite, "attest acme\n", fmt.Sprintf("attest acme {\n audience a%d\n}\n", i), 1)))
	}
	close(stop)
	wg.Wait()
	close(failed)
	for f := range failed {
		t.Error(f)
	}
}

// try sends one request and tells what was wrong with the answer. A connection
// that was never accepted is tried again: a reload of plain Caddy loses some of
// those too, with the queue of the listener it closes.
func (s *site) try(credential string) string {
	for range 10 {
		if problem := s.once(credential); problem != unanswered {
			return problem
		}
	}
	return unanswered
}

const unanswered = "no answer"

func (s *site) once(credential string) string {
	r, err := http.NewRequest(http.MethodGet, s.url("/"), nil)
	if err != nil {
		return err.Error()
	}
	r.Close = true
	r.Header.Set("Authorization", "Bearer "+credential)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return unanswered
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Sprint(res.StatusCode, " ", res.Header.Get("Attest-Error"), " ", err)
	}
	return ""
}

// A configuration that is refused changes nothing.
func TestCaddyBadReloadKeepsTheOld(t *testing.T) {
	s := newSite(t, plainSite)
	err := s.load(strings.Replace(plainSite, "attest acme\n", "attest acmee\n", 1))
	if err == nil || !strings.Contains(err.Error(), "Caddyfile:") || !strings.Contains(err.Error(), "acmee") {
		t.Errorf("got %v", err)
	}
	if res := s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode != 200 {
		t.Errorf("got %d", res.StatusCode)
	}
}

// `caddy validate` provisions beside a running server: it takes no file lock and
// reaches for no network.
func TestCaddyValidateBesideARunningServer(t *testing.T) {
	s := newSite(t, plainSite)
	s.get("/", "Authorization", "Bearer "+s.token(nil)) // the keys are fetched
	s.issuer.Down()
	fetches := s.issuer.Fetches()
	data, err := s.adapted(plainSite)
	s.must(err)
	var cfg caddy.Config
	s.must(caddy.StrictUnmarshalJSON(data, &cfg))
	s.must(caddy.Validate(&cfg))
	if s.issuer.Fetches() != fetches {
		t.Error("validate fetched keys")
	}
	if res := s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode == 404 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestCaddyErrorRoutesAndPlaceholders(t *testing.T) {
	s := newSite(t, head+`
http://127.0.0.1:PORT {
	handle /who {
		attest acme
		respond "{http.auth.user.id} {http.attest.organization.slug} {http.attest.profile} {http.attest.session.id} {http.attest.roles}"
	}
	handle {
		attest acme
		respond ok
	}
	handle_errors {
		respond "{http.attest.error.code} {err.id} {err.status_code}" {err.status_code}
	}
}
`)
	res := s.get("/who", "Authorization", "Bearer "+s.token(trusttest.Claims{"roles": []any{"editor", "owner"}}))
	fields := strings.Fields(string(read(t, res)))
	if len(fields) != 5 || !strings.HasPrefix(fields[0], "member-") || fields[1] != "acme" || fields[2] != "acme" || !strings.HasPrefix(fields[3], "session-") || fields[4] != "editor" {
		t.Errorf("placeholders: %q", fields)
	}
	res = s.get("/")
	_, id, _ := strings.Cut(res.Header.Get("Attest-Error"), "id=")
	if got, want := string(read(t, res)), "no_credential "+id+" 401"; got != want || id == "" {
		t.Errorf("error route: %q, want %q", got, want)
	}
}

// Where the operator answers no errors the gateway does: a page for people, with the way to
// the login, and a problem for programs.
func TestCaddyRefusalsWithoutErrorRoutes(t *testing.T) {
	s := newSite(t, head+`
http://127.0.0.1:PORT {
	handle /login {
		respond login
	}
	handle {
		attest acme {
			login /login
		}
		respond ok
	}
}
`)
	res := s.get("/a?b=c", "Accept", "application/json")
	_, id, _ := strings.Cut(res.Header.Get("Attest-Error"), "id=")
	if body := string(read(t, res)); res.StatusCode != 401 || res.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"id":"`+id+`"`) || id == "" {
		t.Errorf("a program: %d %s", res.StatusCode, body)
	}
	res = s.get("/a?b=c", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe")
	if body := string(read(t, res)); res.StatusCode != 401 || !strings.Contains(body, `href="/login?return_to=%2Fa%3Fb%3Dc"`) {
		t.Errorf("a person: %d %s", res.StatusCode, body)
	}
	r, err := http.NewRequest(http.MethodHead, s.url("/"), nil)
	s.must(err)
	if res = s.do(r); res.StatusCode != 401 || len(read(t, res)) != 0 {
		t.Errorf("HEAD: %d", res.StatusCode)
	}
}

// T-01, CVE-2026-30852: what a token says is data, also where a placeholder holds
// it.
func TestCaddyClaimsAreNotExpandedAgain(t *testing.T) {
	s := newSite(t, strings.Replace(head, "map roles roles", "map roles roles\n\t\t\tmap name name", 1)+`
http://127.0.0.1:PORT {
	attest acme
	request_header X-Name {http.attest.member.name}
	reverse_proxy APP
}
`)
	t.Setenv("ATTEST_TEST_SECRET", "must-not-appear")
	name := "{env.ATTEST_TEST_SECRET} {{env \"HOME\"}} {http.request.host}"
	s.get("/", "Authorization", "Bearer "+s.token(trusttest.Claims{"name": name}))
	up, _ := s.app.seen()
	if got := up.Header.Get("X-Name"); got != name {
		t.Errorf("got %q, want %q", got, name)
	}
}

// What a template names of the trusted token is kept, without a line in the profile.
func TestCaddyTemplateSeesTheTrustedToken(t *testing.T) {
	line := "\tattest {\n\t\ttemplate default `{\"plan\": {{ token.plan }}, \"seats\": {{ token.org.seats | default(1) }}}`\n"
	s := newSite(t, strings.Replace(plainSite, "\tattest {\n", line, 1))
	s.get("/", "Authorization", "Bearer "+s.token(trusttest.Claims{"plan": "pro"}))
	up, _ := s.app.seen()
	jwt := strings.TrimPrefix(up.Header.Get("Authorization"), "Bearer ")
	if _, body, _ := strings.Cut(jwt, "."); !strings.Contains(decoded(t, body), `"plan":"pro"`) || !strings.Contains(decoded(t, body), `"seats":1`) {
		t.Errorf("the app received %v", up.Header)
	}
}

// The client of a trusted token is that of the access token, without a line in the profile.
func TestCaddyAccessToken(t *testing.T) {
	s := newSite(t, head+`
http://127.0.0.1:PORT {
	attest acme {
		forward_jwt authorization {
			typ at+jwt
			scope "read write"
		}
	}
	reverse_proxy APP
}
`)
	s.get("/", "Authorization", "Bearer "+s.token(trusttest.Claims{"azp": "client-7"}))
	up, _ := s.app.seen()
	head, body, _ := strings.Cut(strings.TrimPrefix(up.Header.Get("Authorization"), "Bearer "), ".")
	if !strings.Contains(decoded(t, head), `"typ":"at+jwt"`) || !strings.Contains(decoded(t, body), `"client_id":"client-7"`) || !strings.Contains(decoded(t, body), `"scope":"read write"`) {
		t.Errorf("the app received %v", up.Header)
	}
}

// decoded is the payload with which the rest of a JWT begins.
func decoded(t *testing.T, rest string) string {
	t.Helper()
	payload, _, _ := strings.Cut(rest, ".")
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
