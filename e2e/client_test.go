package e2e_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const (
	project   = "project-test-1"
	apiSecret = "secret-test-0123456789-0123456789-0123456789"
)

// An app stands behind the gateway and remembers the last request.
type app struct {
	*httptest.Server
	mu   sync.Mutex
	last http.Header
}

func newApp(t *testing.T) *app {
	a := new(app)
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.last = r.Header.Clone()
	}))
	t.Cleanup(a.Close)
	return a
}

// received are the headers of the last request.
func (a *app) received() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// bearer is the one bearer token of the last request.
func (a *app) bearer(t *testing.T) string {
	t.Helper()
	header := a.received()
	token, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	if !ok || len(header["Authorization"]) != 1 {
		t.Fatalf("the app received %v", header)
	}
	return token
}

// An answer is a response that is read, or why there is none.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// get asks for a URL with pairs of header names and values.
func get(t *testing.T, url string, header ...string) answer {
	t.Helper()
	return send(t, newRequest(t, url, header...))
}

func newRequest(t *testing.T, url string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = append(r.Header[header[i]], header[i+1])
	}
	return r
}

func send(t *testing.T, r *http.Request) answer {
	t.Helper()
	a := try(r)
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a
}

// try sends a request, from whatever goroutine.
func try(r *http.Request) answer { return tryWith(http.DefaultTransport, r) }

func tryWith(transport http.RoundTripper, r *http.Request) answer {
	res, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body), err}
}

// code is the stable code of a refusal.
func (a answer) code() string {
	code, _, _ := strings.Cut(a.header.Get("Attest-Error"), ";")
	return code
}

// admitted sends a request with the bearer, which must pass, and answers the
// token that the app received for it.
func (g *gateway) admitted(a *app, path, bearer string) string {
	g.t.Helper()
	if res := get(g.t, g.url(path), "Authorization", "Bearer "+bearer); res.status != http.StatusOK {
		g.t.Fatalf("%s: %d %s\n%s", path, res.status, res.code(), g.output)
	}
	return a.bearer(g.t)
}

// call is a call of the session API, which must succeed.
func (g *gateway) call(path string, body map[string]any) map[string]any {
	g.t.Helper()
	text, err := strictjson.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, g.url(path), bytes.NewReader(text))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(project, apiSecret)
	res := send(g.t, r)
	if res.status != http.StatusOK {
		g.t.Fatalf("%s: %d %s\n%s", path, res.status, res.body, g.output)
	}
	return object(g.t, res.body)
}

// attest exchanges a token of the profile by the session API.
func (g *gateway) attest(profile, token string, more map[string]any) map[string]any {
	g.t.Helper()
	body := map[string]any{"profile_id": profile, "token": token}
	for name, value := range more {
		body[name] = value
	}
	return g.call("/v1/b2b/sessions/attest", body)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	o, err := strictjson.Object([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

// at is the value at a path of member names; nil where there is none.
func at(v any, path ...string) any {
	for _, name := range path {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// part is a part of a JWT, decoded.
func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	return object(t, string(data))
}
