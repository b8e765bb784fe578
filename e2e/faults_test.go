package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const faultSite = `{
	admin 127.0.0.1:ADMIN
	persist_config off
	default_bind 127.0.0.1
	grace_period 30s
	attest {
		profile demo {
			dev
			email_domains example.com
			organization demo
			create members organizations
		}
	}
}
:PORT {
	attest_api
	attest demo
	reverse_proxy 127.0.0.1:APP {
		transport http {
			keepalive 1s
		}
	}
}
`

// A tried site is a gateway in front of an app that can be stopped, with a good token.
type tried struct {
	*gateway
	admin, bearer string
	app           *http.Server
	appPort       int
	arrived       atomic.Int64 // at the app
}

func newTried(t *testing.T, launch func(*gateway)) *tried {
	t.Helper()
	s := &tried{appPort: freePort(t), admin: fmt.Sprint(freePort(t))}
	s.gateway = newGateway(t, faultSite, "ADMIN", s.admin, "APP", fmt.Sprint(s.appPort))
	s.startApp()
	t.Cleanup(func() { _ = s.app.Close() })
	launch(s.gateway)
	s.bearer = "Bearer " + s.mint("demo", "--email", "ada@example.com")
	return s
}

func (s *tried) startApp() {
	s.t.Helper()
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", s.appPort))
	if err != nil {
		s.t.Fatal(err)
	}
	s.app = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.arrived.Add(1)
		time.Sleep(5 * time.Millisecond) // as an app's work takes
		_, _ = w.Write([]byte("served"))
	})}
	go func(app *http.Server) { _ = app.Serve(l) }(s.app)
}

// good sends one good request.
func (s *tried) good() answer { return try(newRequest(s.t, s.url("/"), "Authorization", s.bearer)) }

// A load sends requests until it is stopped.
type load struct {
	stop   chan struct{}
	all    sync.WaitGroup
	served atomic.Int64
	mu     sync.Mutex
	wrong  []string
}

// load sends what the function makes with so many senders; check says what is wrong with
// an answer.
func startLoad(senders int, send func() answer, check func(answer) string) *load {
	l := &load{stop: make(chan struct{})}
	for range senders {
		l.all.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if wrong := check(send()); wrong != "" {
					l.mu.Lock()
					l.wrong = append(l.wrong, wrong)
					l.mu.Unlock()
					continue
				}
				l.served.Add(1)
			}
		})
	}
	return l
}

// until waits for so many answers, and ends nothing.
func (l *load) until(t *testing.T, served int64) {
	t.Helper()
	for end := time.Now().Add(patience); l.served.Load() < served; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d answers: %v", l.served.Load(), served, l.some())
		}
	}
}

func (l *load) some() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong[:min(len(l.wrong), 3)]
}

// end stops the senders and tells what was wrong.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.all.Wait()
	if len(l.wrong) > 0 {
		t.Errorf("%d of %d: %v", len(l.wrong), int64(len(l.wrong))+l.served.Load(), l.some())
	}
}

func mustBe(status int) func(answer) string {
	return func(a answer) string {
		if a.err != nil || a.status != status {
			return fmt.Sprintf("%d %s %v", a.status, a.code(), a.err)
		}
		return ""
	}
}

// F21: a bad configuration is refused with file and line, and the old one goes on.
func TestBadConfigurationUnderLoad(t *testing.T) {
	s := newTried(t, (*gateway).start)
	good, err := os.ReadFile(s.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	l := startLoad(4, s.good, mustBe(http.StatusOK))
	for range 10 {
		bad := bytes.Replace(good, []byte("organization demo"), []byte("organisation demo"), 1)
		res, err := http.Post("http://127.0.0.1:"+s.admin+"/load", "text/caddyfile", bytes.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, _ = text.ReadFrom(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest || !regexp.MustCompile(`organisation.*Caddyfile:10`).MatchString(text.String()) {
			t.Errorf("%d %s", res.StatusCode, text.String())
		}
	}
	l.until(t, 50)
	l.end(t)
}

// F22: SIGTERM under load: what has reached the app is answered, and the exit is clean.
func TestTerminatedUnderLoad(t *testing.T) {
	s := newTried(t, (*gateway).start)
	if a := s.good(); a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.err)
	}
	l := startLoad(8, s.good, func(a answer) string {
		if a.err == nil && a.status != http.StatusOK {
			return fmt.Sprint(a.status, " ", a.code())
		}
		return "" // a connection that was not accepted is no request
	})
	l.until(t, 50)
	s.terminate()
	if status := s.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, s.output)
	}
	l.end(t)
	if arrived, served := s.arrived.Load(), l.served.Load(); served < arrived {
		t.Errorf("%d requests reached the app, %d were answered", arrived, served)
	}
}

// F29: a flood of bad tokens leaves good requests alone, and is not a line of the log each.
func TestFloodOfBadTokens(t *testing.T) {
	s := newTried(t, (*gateway).start)
	bad := s.bearer[:len(s.bearer)-8] + "AAAAAAAA"
	began := time.Now()
	flood := startLoad(8, func() answer { return try(newRequest(t, s.url("/"), "Authorization", bad)) }, mustBe(http.StatusUnauthorized))
	l := startLoad(2, s.good, mustBe(http.StatusOK))
	l.until(t, 200)
	flood.until(t, 1000)
	l.end(t)
	flood.end(t)
	lines, seconds := strings.Count(s.output.String(), `"request refused"`), int(time.Since(began).Seconds())+2
	if lines == 0 || lines > 5*seconds {
		t.Errorf("%d lines in %d s", lines, seconds)
	}
}

// F31: out of file descriptors the gateway waits, and goes on when there are some again.
func TestOutOfFileDescriptors(t *testing.T) {
	s := newTried(t, func(g *gateway) {
		g.wrap = func(cmd *exec.Cmd) {
			cmd.Args = append([]string{"sh", "-c", `ulimit -n 64 && exec "$0" "$@"`}, cmd.Args...)
			cmd.Args[3], cmd.Path = cmd.Path, "/bin/sh"
		}
		g.start()
	})
	if a := s.good(); a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.err)
	}
	var held []net.Conn
	for range 200 {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(s.port), time.Second)
		if err != nil {
			break
		}
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n")
		held = append(held, conn)
	}
	if len(held) < 64 {
		t.Fatalf("only %d connections", len(held))
	}
	for end := time.Now().Add(patience); !strings.Contains(s.output.String(), "too many open files"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the limit was not reached")
		}
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for end := time.Now().Add(patience); s.good().status != http.StatusOK; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not recover\n%s", s.output)
		}
	}
	select {
	case <-s.exited:
		t.Error("the process has ended")
	default:
	}
}

// F33: clients that never end their headers hold up nobody.
func TestSlowClients(t *testing.T) {
	s := newTried(t, (*gateway).start)
	for range 500 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /v1/b2b/sessions/attest HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n")
	}
	l := startLoad(4, s.good, mustBe(http.StatusOK))
	l.until(t, 100)
	l.end(t)
}

// F34: the app is down: 502, no session is ended, and the token is good when it is back.
func TestUpstreamDown(t *testing.T) {
	s := newTried(t, (*gateway).start)
	if a := s.good(); a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.err)
	}
	_ = s.app.Close()
	if a := s.good(); a.status != http.StatusBadGateway || a.code() != "" {
		t.Errorf("without an app: %d %s %v", a.status, a.code(), a.err)
	}
	s.startApp()
	sessions := func() string {
		return s.run("", "attest", "sessions", "list", "--json", "--address", "127.0.0.1:"+s.admin).stdout
	}
	for end := time.Now().Add(patience); s.good().status != http.StatusOK; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("with the app again:\n%s", s.output)
		}
	}
	if out := sessions(); strings.Count(out, `"session_id"`) != 1 {
		t.Errorf("sessions: %s", out)
	}
}

var gauge = regexp.MustCompile(`(?m)^(go_goroutines|process_open_fds) (\S+)$`)

// gauges are the goroutines and file descriptors of the gateway.
func (s *tried) gauges() map[string]float64 {
	s.t.Helper()
	all := map[string]float64{}
	for _, m := range gauge.FindAllStringSubmatch(get(s.t, "http://127.0.0.1:"+s.admin+"/metrics").body, -1) {
		all[m[1]], _ = strconv.ParseFloat(m[2], 64)
	}
	return all
}

// F35: load and reloads leave no goroutine and no file descriptor behind. Hours of it are
// for a longer run (ATTEST_SOAK, in minutes).
func TestSoak(t *testing.T) {
	s := newTried(t, (*gateway).start)
	text, err := os.ReadFile(s.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	minutes, _ := strconv.Atoi(os.Getenv("ATTEST_SOAK"))
	until, reloads := time.Now().Add(time.Duration(minutes)*time.Minute), 10
	round := func() {
		l := startLoad(4, s.good, mustBe(http.StatusOK))
		for n := 0; n < reloads || time.Now().Before(until); n++ {
			changed := bytes.Replace(text, []byte("attest demo\n"), fmt.Appendf(nil, "attest demo {\n\t\taudience app%d\n\t}\n", n%7), 1)
			res, err := http.Post("http://127.0.0.1:"+s.admin+"/load", "text/caddyfile", bytes.NewReader(changed))
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(err, s.output)
			}
			res.Body.Close()
		}
		close(l.stop)
		l.all.Wait()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
	round()
	before := s.gauges()
	round()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		after := s.gauges()
		if after["go_goroutines"] <= before["go_goroutines"]+10 && after["process_open_fds"] <= before["process_open_fds"]+10 && len(after) == 2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("before %v, after %v", before, after)
		}
	}
}
