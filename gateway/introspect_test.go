package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// introspecting has the profile other take opaque tokens; shown are those that its issuer
// was asked about.
func introspecting(t *testing.T, more ...option) (w *world, shown func() []string, down func()) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	var end int64
	idp := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		token := r.PostFormValue("token")
		asked = append(asked, token)
		_ = json.NewEncoder(rw).Encode(map[string]any{"active": token == "opaque-1", "sub": "ada", "aud": "app", "exp": end, "auth_time": end - 600})
	}))
	t.Cleanup(idp.Close)
	w = newWorld(t, append(more, func(s *setup) {
		end = s.clock.Now().Add(10 * time.Minute).Unix()
		source, err := trust.NewIntrospection(trust.IntrospectionConfig{Remote: trust.RemoteConfig{URL: idp.URL, Now: s.clock.Now}})
		if err != nil {
			t.Fatal(err)
		}
		s.profiles["other"].Keys = source
	})...)
	return w, func() []string { mu.Lock(); defer mu.Unlock(); return asked }, idp.Close
}

func TestOpaqueBearers(t *testing.T) {
	both := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}}}
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"other"}, Optional: true}}
	elsewhere := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}, Forward: proxy.Forward{Header: "X-Jwt"}}
	off := &proxy.Route{Off: true}
	w, shown, down := introspecting(t, routes(both, optional, elsewhere, off))
	for range 2 { // cold and warm
		resp, up := w.through(both, bearer("opaque-1"))
		expect(t, "an opaque token", resp, 204, "")
		is(t, up.claims, "session.authentication_factors", []any{map[string]any{
			"type": "trusted_auth_token", "profile": "other", "issuer": "https://other.test", "token_id": at(up.claims, "session.authentication_factors").([]any)[0].(map[string]any)["token_id"],
			"proved_at": "2026-03-01T12:00:00Z",
		}})
	}
	resp, _ := w.through(both, bearer(w.token("acme", nil)))
	expect(t, "a JWT beside it", resp, 204, "")
	session := w.attest("acme", nil)["session_token"].(string)
	resp, _ = w.through(both, bearer(session))
	expect(t, "a session token", resp, 204, "")
	for what, c := range map[string]struct {
		route  *proxy.Route
		token  string
		status int
	}{
		"unknown":                    {both, "opaque-2", 401},
		"unknown, optional":          {optional, "opaque-2", 401},
		"a broken session token":     {both, session[:len(session)-1], 401},
		"a JWT of another profile":   {optional, w.token("acme", nil), 401},
		"on another profile's route": {elsewhere, "opaque-1", 204},
		"off":                        {off, "opaque-1", 204},
	} {
		resp, up := w.through(c.route, bearer(c.token))
		if resp.StatusCode != c.status || up.header.Get("Authorization") != "" {
			t.Errorf("%s: %d %s, the app received %q", what, resp.StatusCode, resp.Header.Get("Attest-Error"), up.header.Get("Authorization"))
		}
	}
	w.refusedAnyhow(400, "invalid_trusted_auth_token", "POST", attestPath, claims.Object{"profile_id": "other", "token": session})
	for _, token := range shown() {
		if token != "opaque-1" && token != "opaque-2" {
			t.Errorf("the issuer was shown %.20s", token)
		}
	}
	down()
	w.clock.Advance(31 * time.Second)
	resp, _ = w.through(both, bearer("opaque-1"))
	expect(t, "the issuer is away", resp, 503, "service_unavailable")
}

// An app with bearers of its own keeps them where nobody introspects.
func TestOpaqueBearersAreTheAppsElsewhere(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}, Forward: proxy.Forward{Header: "X-Jwt"}}
	w := newWorld(t, routes(route))
	resp, up := w.through(route, bearer("opaque-1"))
	if resp.StatusCode != 204 || up.header.Get("Authorization") != "Bearer opaque-1" {
		t.Errorf("%d, the app received %q", resp.StatusCode, up.header.Get("Authorization"))
	}
}
