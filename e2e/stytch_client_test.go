package e2e_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// An sdk is a process of Node.js with a client of npm's stytch, of which only the
// base URL is not Stytch's. It keeps keys and policies as a backend's client does.
type sdk struct {
	in       io.Writer
	out      *bufio.Reader
	problems *bytes.Buffer // that the process has, once it has ended
}

// startSDK makes a client: stytch.B2BClient or, for consumers, stytch.Client.
func startSDK(t *testing.T, client, baseURL, secret string) *sdk {
	t.Helper()
	needNode(t)
	if _, err := os.Stat(filepath.Join(scripts, "node_modules", "stytch")); err != nil {
		missing(t, "stytch among the packages of testdata/node (npm ci)")
	}
	cmd := exec.Command("node", "stytch_client.mjs")
	s := &sdk{problems: new(bytes.Buffer)}
	cmd.Dir, cmd.Stderr = scripts, s.problems
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	s.in, s.out = in, bufio.NewReader(out)
	s.write(t, map[string]any{
		"client": client, "options": map[string]any{"project_id": project, "secret": secret, "env": baseURL},
	})
	return s
}

func (s *sdk) write(t *testing.T, line map[string]any) {
	t.Helper()
	text, err := strictjson.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.in.Write(append(text, '\n')); err != nil {
		t.Fatalf("%v\n%s", err, s.problems)
	}
}

// try calls a method of the client, such as "sessions.attest".
func (s *sdk) try(t *testing.T, method string, argument map[string]any) map[string]any {
	t.Helper()
	s.write(t, map[string]any{"method": method, "argument": argument})
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s: %v\n%s", method, err, s.problems)
	}
	return object(t, string(line))
}

// call is try where the SDK must not throw; it answers the result.
func (s *sdk) call(t *testing.T, method string, argument map[string]any) map[string]any {
	t.Helper()
	answer := s.try(t, method, argument)
	result, ok := answer["result"].(map[string]any)
	if !ok {
		t.Fatalf("%s: %v", method, answer)
	}
	return result
}

// refused is try where the SDK must throw its StytchError, with the status as a
// number and everything else that the error of the API has.
func (s *sdk) refused(t *testing.T, status, kind, method string, argument map[string]any) {
	t.Helper()
	answer := s.try(t, method, argument)
	thrown, _ := answer["error"].(map[string]any)
	if thrown["kind"] != "StytchError" || !isNumber(thrown["status_code"], status) || thrown["error_type"] != kind {
		t.Fatalf("%s: %v, want a StytchError %s %s", method, answer, status, kind)
	}
	for _, name := range []string{"request_id", "error_message", "error_url"} {
		if text, _ := thrown[name].(string); text == "" {
			t.Errorf("%s: no %s in %v", method, name, thrown)
		}
	}
}

// A counter stands before a gateway and remembers what was asked of it.
type counter struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

func newCounter(t *testing.T, g *gateway) *counter {
	t.Helper()
	target, err := url.Parse(g.url(""))
	if err != nil {
		t.Fatal(err)
	}
	// A transport of its own: every httptest server closes connections of the shared one
	// at its end.
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
	}
	c := new(counter)
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.count(r)
		// The body is read before: a server closes it when its answer begins, and a proxy
		// that looks for its end only then gives up the answer.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *counter) count(r *http.Request) {
	what := r.Method + " " + r.URL.Path
	if r.Header.Get("Authorization") == "" {
		what += " without credentials"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, what)
}

// take answers the requests since it was last asked.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.requests
	c.requests = nil
	return taken
}
