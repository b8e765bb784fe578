package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a server may take to do what it was asked.
const patience = 20 * time.Second

// A Server is one redis-server process.
type Server struct {
	// Addr is where it listens: 127.0.0.1 and a port.
	Addr string
	// Dir holds its data and its log.
	Dir string

	t        testing.TB
	port     int
	args     []string
	password string
	cmd      *exec.Cmd
	exited   chan struct{}
}

// Start runs a server with these arguments besides ("--appendonly", "yes"),
// waits until it answers, and ends it with the test. Without arguments it keeps
// nothing on disk.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no servers")
	}
	need(t, "redis-server", "redis-cli")
	s := &Server{t: t, args: args, Dir: t.TempDir(), password: valueOf(args, "--requirepass")}
	for range 5 {
		s.port = freePort(t)
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
		if s.run() {
			t.Cleanup(s.Kill)
			return s
		}
	}
	t.Fatalf("redistest: redis-server does not start: %s", s.Log())
	return nil
}

// before7 tells whether the server of the path is Redis 6.2 and not Redis 7 or later, or
// Valkey.
func before7(t testing.TB) bool {
	t.Helper()
	text, err := exec.Command("redis-server", "--version").Output()
	if err != nil {
		t.Fatalf("redistest: redis-server --version: %v", err)
	}
	return bytes.Contains(text, []byte("v=6."))
}

// need skips the test, or fails it in CI, where a program is missing.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("redistest: %s is not installed (Debian: redis-server)", program)
		}
		t.Skipf("%s is not installed (Debian: redis-server); what needs a real Redis is not tested", program)
	}
}

func valueOf(args []string, name string) string {
	for i, arg := range args {
		if arg == name && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// freePort finds a port that is free, and its Cluster bus port too.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port+10000 > 65535 {
			continue
		}
		bus, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+10000)))
		if err == nil {
			_ = bus.Close()
			return port
		}
	}
	t.Fatal("redistest: no free port")
	return 0
}

// run starts the process and reports whether it came to answer.
func (s *Server) run() bool {
	args := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.Dir, "--logfile", filepath.Join(s.Dir, "log"),
		"--save", "", "--repl-diskless-sync-delay", "0",
	}
	if before7(s.t) {
		// There DEBUG is allowed, and the option that allows it unknown.
		return s.exec(exec.Command("redis-server", append(args, s.args...)...))
	}
	args = append(args, "--enable-debug-command", "yes")
	return s.exec(exec.Command("redis-server", append(args, s.args...)...))
}

func (s *Server) exec(cmd *exec.Cmd) bool {
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	s.cmd, s.exited = cmd, exited
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		select {
		case <-exited:
			return false
		default:
		}
		if s.answers() {
			return true
		}
	}
	return false
}

// answers reports whether the server answers at all, be it that it is loading or
// wants a password.
func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply := make([]byte, 1)
	n, _ := conn.Read(reply)
	return n == 1 && (reply[0] == '+' || reply[0] == '-')
}

// Kill ends the server with SIGKILL and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// Restart starts a killed server again, on the same port and data.
func (s *Server) Restart() {
	s.t.Helper()
	if !s.run() {
		s.t.Fatalf("redistest: redis-server does not start again: %s", s.Log())
	}
}

// Ready waits until the server has loaded its data and answers as it should.
func (s *Server) Ready() {
	s.t.Helper()
	await(s.t, "loading", func() bool {
		pong, err := s.TryCLI("ping")
		return err == nil && pong == "PONG"
	})
}

// Wipe removes all that a killed server has on disk.
func (s *Server) Wipe() {
	s.t.Helper()
	for _, pattern := range []string{"*.rdb", "*.aof", "appendonlydir"} {
		found, _ := filepath.Glob(filepath.Join(s.Dir, pattern))
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// Pause makes the server hang with SIGSTOP: connections stay, answers stop.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
}

// CLI runs redis-cli with these arguments against the server and returns what it
// prints. An error that the server answers is the test's end.
func (s *Server) CLI(args ...string) string {
	s.t.Helper()
	out, err := s.TryCLI(args...)
	if err != nil {
		s.t.Fatalf("redistest: redis-cli %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// TryCLI is CLI for what may fail.
func (s *Server) TryCLI(args ...string) (string, error) {
	all := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-e"}
	cmd := exec.Command("redis-cli", append(all, args...)...)
	if s.password != "" {
		cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+s.password)
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Log is what the server has logged.
func (s *Server) Log() string {
	data, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(data))
}

// await waits until the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("redistest: %s: not within %v", what, patience)
		}
	}
}

// URL is the server's address as a configuration names it.
func (s *Server) URL() string { return fmt.Sprintf("redis://%s", s.Addr) }
