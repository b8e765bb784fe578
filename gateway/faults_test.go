package gateway_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// logged gives the gateway a log that a test reads.
func logged(level zapcore.Level) (option, *observer.ObservedLogs) {
	core, logs := observer.New(level)
	return func(s *setup) { s.gateway.Core.Log = zap.New(core) }, logs
}

// An error that nobody foresaw is no outage: telling clients to come back in two
// seconds would hide it.
func TestUnknownErrorIsAnInternalErrorWithItsCauseInTheLog(t *testing.T) {
	route := acme()
	log, logs := logged(zapcore.InfoLevel)
	w := newWorld(t, routes(route), log)
	w.store.set(errors.New("the moon is in the way"))
	res, _ := w.through(route, bearer(w.token("acme", nil)))
	refusedWith(t, res, http.StatusInternalServerError, "internal_server_error")
	if res.Header.Get("Retry-After") != "" {
		t.Error("Retry-After promises that it will pass")
	}
	status, answer := w.call("POST", "/v1/b2b/sessions/attest", claims.Object{"profile_id": "acme", "token": w.token("acme", nil)})
	if status != http.StatusInternalServerError || answer["error_type"] != "internal_server_error" {
		t.Errorf("API: %d %v", status, answer)
	}
	for _, e := range logs.All() {
		if e.Level != zapcore.ErrorLevel || !strings.Contains(fmt.Sprint(e.ContextMap()["error"]), "the moon is in the way") {
			t.Errorf("logged %v: %v %v", e.Level, e.Message, e.ContextMap())
		}
	}
	if logs.Len() != 2 {
		t.Errorf("%d lines", logs.Len())
	}
}

// No refusal that is a fault of ours is hidden among those that are the client's.
func TestServerErrorsAreNeverLoggedAtInfo(t *testing.T) {
	route := acme()
	log, logs := logged(zapcore.DebugLevel)
	w := newWorld(t, routes(route), log)
	for _, fault := range []error{store.ErrUnavailable, store.ErrFull, store.ErrBusy, store.ErrClosed, errors.New("anything")} {
		w.store.set(fault)
		res, _ := w.through(route, bearer(w.token("acme", nil)))
		if res.StatusCode < 500 {
			t.Errorf("%v: %d", fault, res.StatusCode)
		}
	}
	for _, e := range logs.FilterMessage("request refused").All() {
		if e.Level != zapcore.ErrorLevel {
			t.Errorf("%v at %v", e.ContextMap()["code"], e.Level)
		}
	}
}

// manyRoles gives a member roles that make a JWT large.
func (w *world) manyRoles(organization, member string, count, length int) {
	w.t.Helper()
	roles := make([]string, count)
	for i := range roles {
		roles[i] = fmt.Sprintf("%s%03d", strings.Repeat("r", length), i)
	}
	_, err := w.gateway.Core.UpdateMember(w.t.Context(), organization, member, directory.MemberChange{Roles: &roles})
	w.must(err)
}

// What would make a JWT too large for anybody to read is refused before a session
// stands there that can never be used.
func TestJWTAbove16KiBIsRefusedBeforeAnythingIsStored(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	made := w.attest("acme", nil)
	organization, member := at(made, "organization.organization_id").(string), made["member_id"].(string)
	w.manyRoles(organization, member, 100, 115)
	before := w.store.writes()
	status, answer := w.call("POST", "/v1/b2b/sessions/attest", claims.Object{"profile_id": "acme", "token": w.token("acme", nil)})
	if status != http.StatusBadRequest || answer["error_type"] != "session_jwt_too_large" {
		t.Errorf("attest: %d %v", status, answer)
	}
	if at(answer, "error_details.organization") != organization || at(answer, "error_details.member") != member {
		t.Errorf("whose claims they are is not told: %v", answer["error_details"])
	}
	if w.store.writes() != before {
		t.Error("something was written")
	}
	res, _ := w.through(route, bearer(made["session_token"].(string)))
	refusedWith(t, res, http.StatusBadGateway, "session_jwt_too_large")
}

// Many servers refuse a header line of more than 8 KiB with an error that says
// nothing of whose header it was.
func TestLargeJWTIsWarnedOfOncePerRoute(t *testing.T) {
	route := acme()
	log, logs := logged(zapcore.WarnLevel)
	w := newWorld(t, routes(route), log)
	made := w.attest("acme", nil)
	w.manyRoles(at(made, "organization.organization_id").(string), made["member_id"].(string), 60, 100)
	for range 3 {
		if res, _ := w.through(route, bearer(made["session_token"].(string))); res.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %v", res.StatusCode, res.Header)
		}
	}
	if n := logs.FilterMessageSnippet("JWT is large").Len(); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// A token that cannot be judged until the issuer may be asked again is 503 with the seconds
// to wait, at both doors.
func TestUnknownKeyThatCannotBeAskedForSaysWhenToComeBack(t *testing.T) {
	idp := trusttest.NewIssuer(t)
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := newWorld(t, routes(route), func(s *setup) {
		idp.Now = s.clock.Now
		s.profiles["acme"].Issuers, s.profiles["acme"].Keys = []string{idp.URL}, idp.Keys(trust.RemoteConfig{Now: s.clock.Now})
	})
	sign := func(n int) string { return idp.Sign(trusttest.Claims{"aud": "app"}, trusttest.KeyID(fmt.Sprint(n))) }
	for n := range 1 + trust.RefetchBurst { // the first fetch is nobody's
		if resp, _ := w.through(route, bearer(sign(n))); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("kid %d: %d %s", n, resp.StatusCode, resp.Header.Get("Attest-Error"))
		}
	}
	w.clock.Advance(10 * time.Second)
	resp, _ := w.through(route, bearer(sign(100)))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "20" {
		t.Errorf("proxied: %d %s, Retry-After %q", resp.StatusCode, resp.Header.Get("Attest-Error"), resp.Header.Get("Retry-After"))
	}
	if status, answer := w.call("POST", "/v1/b2b/sessions/attest", claims.Object{"profile_id": "acme", "token": sign(101)}); status != http.StatusServiceUnavailable {
		t.Errorf("API: %d %v", status, answer)
	}
}
