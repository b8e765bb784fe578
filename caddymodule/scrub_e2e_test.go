package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"
)

// The project's secret stays with the gateway on paths that nothing serves, with an
// app and without.
func TestCaddyProjectSecretDoesNotReachTheApp(t *testing.T) {
	for name, rest := range map[string]string{
		"attest":             "\tattest acme\n\treverse_proxy APP\n",
		"attest off":         "\tattest off\n\treverse_proxy APP\n",
		"attest_api":         "\tattest_api\n\treverse_proxy APP\n",
		"attest_api, no app": "\tattest_api\n",
		"attest_api, errors": "\tattest_api\n\treverse_proxy APP\n\thandle_errors {\n\t\treverse_proxy APP\n\t}\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, head+"\nhttp://127.0.0.1:PORT {\n"+rest+"}\n")
			r, err := http.NewRequest(http.MethodGet, s.url("/v1/users/x"), nil)
			s.must(err)
			r.SetBasicAuth(projectName, apiSecret)
			res := s.do(r)
			body := string(read(t, res))
			if _, calls := s.app.seen(); res.StatusCode != 404 || !strings.Contains(body, `"error_type":"route_not_found"`) || calls > 0 {
				t.Errorf("got %d %q, the app was called %d times", res.StatusCode, body, calls)
			}
		})
	}
}

const terminatedSite = `{
	servers {
		trusted_proxies static 127.0.0.1
	}
`

// Caddy's trusted_proxies say whose X-Forwarded-Proto counts.
func TestCaddyOriginSchemeFromATrustedProxyOnly(t *testing.T) {
	for name, c := range map[string]struct {
		head   string
		status int
	}{"trusted": {terminatedSite + strings.TrimPrefix(head, "{\n"), 403}, "a stranger": {head, 200}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.head+"\nhttp://127.0.0.1:PORT {\n\tattest_api\n\tattest acme\n\treverse_proxy APP\n}\n")
			_, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
			r, err := http.NewRequest(http.MethodPost, s.url("/"), nil)
			s.must(err)
			r.Header.Set("Cookie", "__Host-session="+made["session_token"].(string))
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("Origin", strings.TrimSuffix(s.url("/"), "/"))
			if res := s.do(r); res.StatusCode != c.status {
				t.Errorf("got %d, want %d", res.StatusCode, c.status)
			}
		})
	}
}
