package gateway_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/api"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// A call of an SDK on a path that is not served must not bring the project's
// secret to the app, whose log or handler it is not for.
func TestProjectSecretDoesNotReachTheApp(t *testing.T) {
	own, beside, off, optional := identityRoutes()
	w := newWorld(t, routes(own, beside, off, optional))
	up := &upstream{}
	doors := map[string]http.Handler{
		"attest_api": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !w.gateway.API(api.Serve{Keys: true, Sessions: true}).Serve(rw, r) {
				up.ServeHTTP(rw, r)
			}
		}),
	}
	for name, route := range map[string]*proxy.Route{"own": own, "attest": beside, "off": off, "optional": optional} {
		doors[name] = w.gateway.Handler(route, up)
	}
	credentials := base64.StdEncoding.EncodeToString([]byte(project + ":" + secret + "?>"))
	for name, door := range doors {
		for _, line := range []string{
			"Basic " + credentials, "basic\t" + credentials, "Basic   " + strings.TrimRight(credentials, "="),
			"BASIC " + base64.URLEncoding.EncodeToString([]byte(project+":"+secret+"?>")),
			"Basic " + base64.StdEncoding.EncodeToString([]byte(project+":wrong")),
			"Basic " + credentials + "%",
		} {
			rec := httptest.NewRecorder()
			r := get("Authorization", line)
			r.URL.Path = "/v1/users/x"
			door.ServeHTTP(rec, r)
			answer, err := strictjson.Object(rec.Body.Bytes())
			if rec.Code != 404 || err != nil || answer["error_type"] != "route_not_found" || up.calls > 0 {
				t.Errorf("%s, %.12s: %d %s, the upstream was called %d times", name, line, rec.Code, rec.Body, up.calls)
			}
		}
		rec := httptest.NewRecorder()
		door.ServeHTTP(rec, get("Authorization", "Basic b3BzOnNlY3JldA==", "Authorization", "Basic "+credentials))
		if rec.Code != 404 || up.calls > 0 {
			t.Errorf("%s, as a second line: %d", name, rec.Code)
		}
	}
}

// Whoever calls Admit by himself is refused too, and the secret is gone from what
// error routes see.
func TestAdmitRefusesAProjectCall(t *testing.T) {
	off := &proxy.Route{Off: true}
	w := newWorld(t, routes(off))
	r := get()
	r.SetBasicAuth(project, secret)
	_, err := w.gateway.Proxy.Admit(r, off)
	var refused *authn.Refusal
	if !errors.As(err, &refused) || refused.Code != "route_not_found" || r.Header["Authorization"] != nil {
		t.Errorf("%v, %v", err, r.Header)
	}
}

// Another user name is the app's.
func TestBasicOfTheAppPasses(t *testing.T) {
	off := &proxy.Route{Off: true}
	w := newWorld(t, routes(off))
	for _, user := range []string{"ops", project + "2", "", strings.ToUpper(project)} {
		r := get()
		r.SetBasicAuth(user, secret)
		if res, _ := w.through(off, r); res.StatusCode != http.StatusNoContent {
			t.Errorf("%q: %d", user, res.StatusCode)
		}
	}
}

func TestProjectCallBeforeTheGatewayIsOpen(t *testing.T) {
	r := get()
	r.SetBasicAuth(project, secret)
	rec := httptest.NewRecorder()
	if !api.Await(rec, r, project, errors.New("not open")) || rec.Code != 503 {
		t.Errorf("got %d", rec.Code)
	}
	if api.Await(httptest.NewRecorder(), get(), project, errors.New("not open")) {
		t.Error("a request of the app's was answered")
	}
}
