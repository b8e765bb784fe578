package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to start or to end on a busy machine.
const patience = 60 * time.Second

// A gateway is a Caddy process with a home of its own, which outlives the
// process.
type gateway struct {
	t      *testing.T
	dir    string
	port   int
	output *output
	cmd    *exec.Cmd
	exited chan struct{}   // closed when the process is gone
	wrap   func(*exec.Cmd) // changes how it is started; may be nil
}

// An output is what a process writes, readable while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newGateway writes a Caddyfile in a new home and starts nothing. In the text,
// the pairs are replaced first; then PORT is a free port, and PROJECT and API_SECRET
// are the project's.
func newGateway(t *testing.T, caddyfile string, pairs ...string) *gateway {
	t.Helper()
	return newGatewayAt(t, freePort(t), caddyfile, pairs...)
}

func newGatewayAt(t *testing.T, port int, caddyfile string, pairs ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir(), port: port, output: new(output)}
	caddyfile = strings.NewReplacer(pairs...).Replace(caddyfile)
	text := strings.NewReplacer("PORT", fmt.Sprint(g.port), "PROJECT", project, "API_SECRET", apiSecret).Replace(caddyfile)
	if err := os.WriteFile(g.caddyfile(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

// startGateway is newGateway, started.
func startGateway(t *testing.T, caddyfile string, pairs ...string) *gateway {
	t.Helper()
	g := newGateway(t, caddyfile, pairs...)
	g.start()
	return g
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

func (g *gateway) caddyfile() string { return filepath.Join(g.dir, "Caddyfile") }

func (g *gateway) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", g.port, path) }

// command is caddy with the arguments, in the gateway's home.
func (g *gateway) command(args ...string) *exec.Cmd {
	g.t.Helper()
	cmd := exec.Command(program(g.t), args...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "HOME="+g.dir, "XDG_DATA_HOME="+filepath.Join(g.dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(g.dir, "config"))
	return cmd
}

// start runs the gateway until it answers.
func (g *gateway) start() {
	g.t.Helper()
	g.launch()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if g.ready() {
			return
		}
		select {
		case <-g.exited:
			g.t.Fatalf("caddy ended before it answered:\n%s", g.output)
		default:
		}
	}
	g.t.Fatalf("caddy does not answer:\n%s", g.output)
}

// launch starts the process and does not wait for an answer.
func (g *gateway) launch() {
	g.t.Helper()
	cmd := g.command("run", "--config", g.caddyfile(), "--adapter", "caddyfile")
	cmd.Stdout, cmd.Stderr = g.output, g.output
	if g.wrap != nil {
		g.wrap(cmd)
	}
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	g.cmd, g.exited = cmd, exited
	g.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
}

func (g *gateway) ready() bool {
	res, err := http.Get(g.url("/.well-known/jwks.json"))
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// kill ends the process as a power failure does: kill -9, with nothing said.
func (g *gateway) kill() {
	g.t.Helper()
	if err := g.cmd.Process.Kill(); err != nil {
		g.t.Fatal(err)
	}
	<-g.exited
}

// terminate asks the process to end.
func (g *gateway) terminate() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
}

// exit waits for the process to end, and answers its exit status.
func (g *gateway) exit() int {
	g.t.Helper()
	select {
	case <-g.exited:
		return g.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		g.t.Fatalf("caddy does not end:\n%s", g.output)
		return -1
	}
}

// A result is what a command that has ended left.
type result struct {
	status         int
	stdout, stderr string
}

// run runs a command of caddy to its end, in the gateway's home.
func (g *gateway) run(stdin string, args ...string) result {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := g.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		g.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mint is `caddy attest mint`, which must succeed.
func (g *gateway) mint(args ...string) string {
	g.t.Helper()
	res := g.run("", append([]string{"attest", "mint"}, args...)...)
	if res.status != 0 {
		g.t.Fatalf("mint: exit status %d\n%s", res.status, res.stderr)
	}
	return strings.TrimSpace(res.stdout)
}

// database is the file in which the sessions are kept, in Caddy's data directory
// where nothing else is configured.
func (g *gateway) database() string {
	g.t.Helper()
	found := ""
	err := filepath.WalkDir(filepath.Join(g.dir, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".db") {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		g.t.Fatalf("no database under %s: %v", g.dir, err)
	}
	return found
}
