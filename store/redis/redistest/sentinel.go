package redistest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Sentinel is a primary with replicas and the three Sentinels that watch them.
type Sentinel struct {
	// Name is what the Sentinels call the primary.
	Name string
	// Servers are the data servers; the first began as the primary.
	Servers   []*Server
	Sentinels []*Server

	t testing.TB
}

// StartSentinel makes a primary, so many replicas, and three Sentinels that
// promote one of them a second after the primary is gone. The arguments are the
// data servers'.
func StartSentinel(t testing.TB, replicas int, args ...string) *Sentinel {
	t.Helper()
	primary := Start(t, args...)
	s := &Sentinel{Name: "primary", Servers: []*Server{primary}, t: t}
	for range replicas {
		s.Servers = append(s.Servers, Start(t, append(args, "--replicaof", "127.0.0.1", strconv.Itoa(primary.port))...))
	}
	for _, r := range s.Servers[1:] {
		await(t, "replication to "+r.Addr, func() bool {
			return strings.Contains(r.CLI("info", "replication"), "master_link_status:up")
		})
	}
	for range 3 {
		s.Sentinels = append(s.Sentinels, startSentinel(t, s.Name, primary))
	}
	for _, watcher := range s.Sentinels {
		await(t, "the Sentinels' meeting", func() bool { return s.agreed(watcher) })
	}
	return s
}

// agreed reports whether a Sentinel knows the other two and all replicas.
func (s *Sentinel) agreed(watcher *Server) bool {
	fields := strings.Split(watcher.CLI("sentinel", "master", s.Name), "\n")
	known := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		known[strings.TrimSpace(fields[i])] = strings.TrimSpace(fields[i+1])
	}
	return known["num-other-sentinels"] == "2" && known["num-slaves"] == strconv.Itoa(len(s.Servers)-1)
}

func startSentinel(t testing.TB, name string, primary *Server) *Server {
	t.Helper()
	s := &Server{t: t, Dir: t.TempDir()}
	for range 5 {
		s.port = freePort(t)
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
		config := filepath.Join(s.Dir, "sentinel.conf")
		text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nlogfile %s\nsentinel monitor %s 127.0.0.1 %d 2\n"+
			"sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 3000\n",
			s.port, s.Dir, filepath.Join(s.Dir, "log"), name, primary.port, name, name)
		if primary.password != "" {
			text += fmt.Sprintf("sentinel auth-pass %s %s\n", name, primary.password)
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s.exec(exec.Command("redis-server", config, "--sentinel")) {
			t.Cleanup(s.Kill)
			return s
		}
	}
	t.Fatalf("redistest: redis-server --sentinel does not start: %s", s.Log())
	return nil
}

// Addresses are those of the Sentinels.
func (s *Sentinel) Addresses() []string {
	addresses := make([]string, len(s.Sentinels))
	for i, watcher := range s.Sentinels {
		addresses[i] = watcher.Addr
	}
	return addresses
}

// Primary is the server that the Sentinels name now.
func (s *Sentinel) Primary() *Server {
	s.t.Helper()
	fields := strings.Fields(s.Sentinels[0].CLI("sentinel", "get-master-addr-by-name", s.Name))
	for _, server := range s.Servers {
		if len(fields) == 2 && server.Addr == net.JoinHostPort(fields[0], fields[1]) {
			return server
		}
	}
	s.t.Fatalf("redistest: the Sentinels name %v", fields)
	return nil
}

// AwaitFailover waits until the Sentinels name another primary than this, and
// that one takes writes.
func (s *Sentinel) AwaitFailover(from *Server) *Server {
	s.t.Helper()
	await(s.t, "failover", func() bool {
		p := s.Primary()
		if p == from {
			return false
		}
		role, err := p.TryCLI("role")
		return err == nil && strings.HasPrefix(role, "master")
	})
	return s.Primary()
}
