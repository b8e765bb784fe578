package caddymodule_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// A damaged or truncated file refuses the configuration, each time it is loaded: the
// second load used to wait for ever, and with it every later one and the stop of the
// process. The configuration that ran goes on, and validating does not touch the file.
func TestCaddyReloadsWithADamagedFileAreRefusedAndNeverHang(t *testing.T) {
	truncated := truncatedStore(t)
	s := newSite(t, strings.Replace(plainSite, "store bolt DIR/sessions.db", "store memory", 1))
	path := filepath.Join(s.dir, "sessions.db")
	for name, content := range map[string]string{
		"no database": strings.Repeat("text", 4096),
		"truncated":   truncated,
	} {
		s.must(os.WriteFile(path, []byte(content), 0o600))
		for range 3 {
			loaded := make(chan error, 1)
			go func() { loaded <- s.load(plainSite) }()
			select {
			case err := <-loaded:
				if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("%s: %v, want the path and that it is damaged", name, err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s: the load hangs", name)
			}
		}
		if status := s.statusOnceRefused(); status != 200 {
			t.Errorf("%s: the configuration that ran answers %d", name, status)
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- caddy.Stop() }()
	select {
	case err := <-stopped:
		s.must(err)
	case <-time.After(time.Minute):
		t.Fatal("the stop hangs")
	}
}

// statusOnceRefused asks the configuration that runs after another was refused. Caddy may have
// started the listeners of that one, and closes them in the background: connections that wait
// in them are reset.
func (s *site) statusOnceRefused() int {
	s.t.Helper()
	for {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url("/"), nil)
		s.must(err)
		r.Header.Set("Authorization", "Bearer "+s.token(nil))
		res, err := http.DefaultTransport.RoundTrip(r)
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) {
			continue
		}
		s.must(err)
		s.must(res.Body.Close())
		return res.StatusCode
	}
}

// truncatedStore is the first half of a store's file.
func truncatedStore(t *testing.T) string {
	t.Helper()
	s := newSite(t, plainSite)
	s.get("/", "Authorization", "Bearer "+s.token(nil))
	s.must(caddy.Stop())
	content, err := os.ReadFile(filepath.Join(s.dir, "sessions.db"))
	s.must(err)
	return string(content[:16384+1])
}
