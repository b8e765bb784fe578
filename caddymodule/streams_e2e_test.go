package caddymodule_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// streamingApp echoes after an upgrade, sends events, and sends a file slowly.
func streamingApp(t *testing.T) *httptest.Server {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws":
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.Copy(conn, buffered)
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/download":
			for range 30 {
				_, _ = fmt.Fprintln(w, strings.Repeat("x", 1000))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}
	}))
	t.Cleanup(app.Close)
	return app
}

const streamingSite = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		store memory
		project PROJECT {
			secret API_SECRET
		}
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			leeway 0
			organization acme
			create members organizations
			factor login {
				proved iat
			}
		}
		organization acme {
			profiles acme
		}
	}
}
http://127.0.0.1:PORT {
	attest_api
	handle /fresh/* {
		uri strip_prefix /fresh
		attest acme {
			require fresh 3s
		}
		reverse_proxy UPSTREAM
	}
	handle {
		attest acme
		reverse_proxy UPSTREAM
	}
}
`

// A connection is one that stays open.
type connection struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

// connect opens a WebSocket, as far as the gateway is concerned, or another stream.
func (s *site) connect(path, token string) *connection {
	s.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", s.port))
	s.must(err)
	s.t.Cleanup(func() { c.Close() })
	upgrade := ""
	if strings.HasSuffix(path, "/ws") {
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sAuthorization: Bearer %s\r\n\r\n", path, s.port, upgrade, token)
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	s.must(err)
	if want := map[bool]int{true: 101, false: 200}[upgrade != ""]; res.StatusCode != want {
		s.t.Fatalf("%s: %d %s", path, res.StatusCode, res.Header.Get("Attest-Error"))
	}
	return &connection{c, s.t, r}
}

// echoes tells whether what is sent comes back.
func (c *connection) echoes() bool {
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	defer c.SetDeadline(time.Time{}) //nolint:errcheck // a deadline is no answer
	if _, err := c.Write([]byte("hello\n")); err != nil {
		return false
	}
	line, err := c.r.ReadString('\n')
	return err == nil && line == "hello\n"
}

// ends answers how long it takes until the other side closes.
func (c *connection) ends() time.Duration {
	c.t.Helper()
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(10 * time.Second))
	_, err := io.Copy(io.Discard, c.r)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Error("the connection stays open")
	}
	return time.Since(began)
}

func (s *site) revoke(body string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url("/v1/b2b/sessions/revoke"), strings.NewReader(body))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(projectName, apiSecret)
	if res := s.do(r); res.StatusCode != http.StatusOK {
		data, _ := io.ReadAll(res.Body)
		s.t.Fatalf("revoke: %d %s", res.StatusCode, data)
	}
}

// Open connections end within a second of what admitted them, also those that an older
// configuration has let in; transfers are not cut.
func TestStreamsEndWithTheSession(t *testing.T) {
	app := streamingApp(t)
	s := newSite(t, strings.ReplaceAll(streamingSite, "UPSTREAM", app.URL))
	sign := func(sub string, life time.Duration) string {
		now := time.Now()
		return s.issuer.Sign(map[string]any{"aud": "app", "sub": sub, "jti": fmt.Sprint(sub, now.UnixNano()), "iat": now.Unix(), "exp": now.Add(life).Unix()})
	}
	session := func(sub string) map[string]any { return s.attest(sign(sub, time.Minute)) }
	for _, path := range []string{"/ws", "/events"} {
		one := session("ada")
		token := one["session_token"].(string)
		stream, other := s.connect(path, token), s.connect("/ws", session("bob")["session_token"].(string))
		if path == "/ws" && !stream.echoes() {
			t.Fatal("no echo")
		}
		body, _ := json.Marshal(map[string]any{"session_token": token})
		s.revoke(string(body))
		if took := stream.ends(); took > time.Second {
			t.Errorf("%s ends %s after the revocation", path, took)
		}
		if !other.echoes() {
			t.Errorf("%s: another person's connection has ended", path)
		}
		third := session("eve" + path)
		stream = s.connect(path, third["session_token"].(string))
		body, _ = json.Marshal(map[string]any{"member_id": third["member_id"], "organization_id": third["organization_id"]})
		s.revoke(string(body))
		if took := stream.ends(); took > time.Second {
			t.Errorf("%s ends %s after the member was revoked", path, took)
		}
	}
	began := time.Now()
	expiring := s.connect("/ws", sign("carl", 3*time.Second))
	if expiring.ends(); time.Since(began) > 4*time.Second || time.Since(began) < 1500*time.Millisecond {
		t.Errorf("a token of three seconds: its connection lasts %s", time.Since(began))
	}
	began = time.Now()
	aging := s.connect("/fresh/events", session("dora")["session_token"].(string))
	if aging.ends(); time.Since(began) > 4*time.Second {
		t.Errorf("a proof that must be fresh: its connection lasts %s", time.Since(began))
	}
	transfer := session("fay")
	done := make(chan int)
	go func() {
		res := s.get("/download", "Authorization", "Bearer "+transfer["session_token"].(string))
		defer res.Body.Close()
		data, _ := io.ReadAll(res.Body)
		done <- len(data)
	}()
	old := session("gus")
	kept := s.connect("/ws", old["session_token"].(string))
	s.must(s.load(strings.ReplaceAll(strings.ReplaceAll(streamingSite, "UPSTREAM", app.URL), "require fresh 3s", "require fresh 4s")))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // of the former configuration
	if kept.echoes() {                                             // Caddy itself closes upgraded connections of an older configuration by default
		body, _ := json.Marshal(map[string]any{"session_token": old["session_token"]})
		s.revoke(string(body))
		if took := kept.ends(); took > time.Second {
			t.Errorf("a connection of the former configuration ends after %s", took)
		}
	}
	body, _ := json.Marshal(map[string]any{"session_token": transfer["session_token"]})
	s.revoke(string(body))
	if n := <-done; n != 30*1001 {
		t.Errorf("a download was cut after %d bytes", n)
	}
}

// A configuration that is replaced while connections are open is done with them, and the
// next one goes on: a loop without end kept its whole work from ending.
func TestStreamsOutliveTheirConfiguration(t *testing.T) {
	app := streamingApp(t)
	text := strings.ReplaceAll(streamingSite, "UPSTREAM", app.URL)
	s := newSite(t, text)
	now := time.Now()
	one := s.attest(s.issuer.Sign(map[string]any{"aud": "app", "sub": "ada", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}))
	stream := s.connect("/events", one["session_token"].(string))
	for _, age := range []string{"4s", "5s", "6s"} {
		s.must(s.load(strings.ReplaceAll(text, "fresh 3s", "fresh "+age)))
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	body, _ := json.Marshal(map[string]any{"session_token": one["session_token"]})
	s.revoke(string(body))
	if took := stream.ends(); took > time.Second {
		t.Errorf("an event stream of the first configuration ends after %s", took)
	}
}
