package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Retry-After says when the rate allows the next member.
func TestRetryAfterIsWhenTheNextMemberMayBeCreated(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := newWorld(t, routes(route), func(s *setup) { s.profiles["acme"].CreateMembersPerHour = 1 })
	w.attest("acme", nil)
	w.clock.Advance(10 * time.Minute)
	token := w.token("acme", claims.Object{"sub": "bob", "email": "bob@example.com"})
	if resp, _ := w.through(route, bearer(token)); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "3000" {
		t.Errorf("proxied: %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	body, err := strictjson.Marshal(claims.Object{"profile_id": "acme", "token": token})
	w.must(err)
	r := request("POST", attestPath, string(body))
	r.SetBasicAuth(project, secret)
	if rec := w.answerOf(r); rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "3000" {
		t.Errorf("API: %d, Retry-After %q, %s", rec.Code, rec.Header().Get("Retry-After"), strings.TrimSpace(rec.Body.String()))
	}
}
