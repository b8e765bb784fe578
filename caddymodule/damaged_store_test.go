package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
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
		if res := s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode != 200 {
			t.Errorf("%s: the configuration that ran answers %d", name, res.StatusCode)
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
