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
