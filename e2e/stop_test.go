package e2e_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// SIGTERM lets a request that is under way finish, takes no new one, and ends
// with status 0.
func TestTerminatedWithARequestUnderWay(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		_, _ = w.Write([]byte("finished"))
	}))
	t.Cleanup(slow.Close)
	text := `{
	admin off
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
	reverse_proxy APP
}
`
	g := startGateway(t, text, "APP", slow.URL)
	bearer := "Bearer " + g.mint("demo", "--email", "ada@example.com")
	answered := make(chan answer, 1)
	r := newRequest(t, g.url("/"), "Authorization", bearer)
	go func() { answered <- try(r) }()
	select {
	case <-arrived:
	case <-time.After(patience):
		close(finish)
		t.Fatalf("nothing arrived:\n%s", g.output)
	}

	g.terminate()
	closed := g.refusesConnections()
	close(finish)

	if res := <-answered; res.err != nil || res.status != http.StatusOK || res.body != "finished" {
		t.Errorf("the request under way got %d %q, %v", res.status, res.body, res.err)
	}
	if status := g.exit(); status != 0 || !closed {
		t.Errorf("exit status %d, listener closed: %t\n%s", status, closed, g.output)
	}
}

// refusesConnections waits until nobody can connect any more.
func (g *gateway) refusesConnections() bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(g.port)))
		if err != nil {
			return true
		}
		_ = conn.Close()
	}
	return false
}
