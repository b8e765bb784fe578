package gateway_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// jwtOf is text with the form of a JWT that nobody signed.
func jwtOf(payload string) string {
	return b64(`{"alg":"RS256","kid":"k"}`) + "." + b64(payload) + "." + b64("signature")
}

// behind answers the Authorization values that the upstream of a route saw.
func (w *world) behind(route *proxy.Route, value string) []string {
	up := &upstream{}
	w.gateway.Handler(route, up).ServeHTTP(httptest.NewRecorder(), get("Authorization", value))
	return up.header["Authorization"]
}

// Behind an upstream that takes its identity from Authorization, `attest off`
// leaves no value in it that the upstream could take for the gateway's JWT: it
// may verify less than it should, and read more schemes than Bearer.
func TestForgedJWTInAuthorizationBehindOff(t *testing.T) {
	off := &proxy.Route{Off: true}
	custom := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}, Forward: proxy.Forward{Header: "Authorization", Scheme: "Session"}}
	w := newWorld(t, routes(off, acme(), custom))
	none := b64(`{"alg":"none"}`)
	foreign := jwtOf(`{"iss":"https://app.example"}`)
	for name, c := range map[string]struct {
		value string
		kept  bool
	}{
		"basic":                    {"Basic b3BzOnNlY3JldA==", true},
		"basic, lower case":        {"basic b3BzOnNlY3JldA==", true},
		"digest":                   {`Digest username="a", realm="b"`, true},
		"negotiate":                {"Negotiate YIIB", true},
		"opaque bearer":            {"Bearer opaque-token", true},
		"the app's own JWT":        {"Bearer " + foreign, true},
		"the app's own, tab":       {"bearer\t" + foreign, true},
		"session token":            {"Bearer " + w.attest("acme", nil)["session_token"].(string), false},
		"session token, cut":       {"Bearer session-x", false},
		"session JWT":              {"Bearer " + w.attest("acme", nil)["session_jwt"].(string), false},
		"trusted token":            {"Bearer " + w.token("acme", nil), false},
		"our issuer, forged":       {"Bearer " + jwtOf(`{"iss":"`+issuer+`"}`), false},
		"our issuer, alg none":     {"Bearer " + none + "." + b64(`{"iss":"`+issuer+`"}`) + ".", false},
		"no signature part":        {"Bearer " + none + "." + b64(`{"iss":"`+issuer+`"}`), false},
		"trusted issuer, alg none": {"Bearer " + none + "." + b64(`{"iss":"https://acme.test"}`) + ".", false},
		"no iss":                   {"Bearer " + jwtOf(`{"sub":"admin"}`), false},
		"empty iss":                {"Bearer " + jwtOf(`{"iss":""}`), false},
		"iss is a list":            {"Bearer " + jwtOf(`{"iss":["https://app.example"]}`), false},
		"iss is null":              {"Bearer " + jwtOf(`{"iss":null}`), false},
		"two iss":                  {"Bearer " + jwtOf(`{"iss":"https://app.example","iss":"`+issuer+`"}`), false},
		"iss in two cases":         {"Bearer " + jwtOf(`{"iss":"https://app.example","ISS":"`+issuer+`"}`), false},
		"garbage segments":         {"Bearer eyJhbGciOiJub25lIn0.!!!.x", false},
		"a padded payload":         {"Bearer " + none + "." + b64(`{"iss":"https://app.example"}`) + "=.x", false},
		"five parts":               {"Bearer a.b.c.d.e", false},
		"a dot":                    {"Bearer a.b", false},
		"two tokens":               {"Bearer opaque " + jwtOf(`{"iss":"`+issuer+`"}`), false},
		"JWT as a scheme":          {"JWT " + foreign, false},
		"the configured scheme":    {"Session " + foreign, false},
		"unknown scheme":           {"Token abc", false},
		"no scheme":                {foreign, false},
		"empty":                    {"", false},
		"a second scheme":          {"Basic Bearer " + foreign, false},
		"a second scheme, quoted":  {`Digest username="Bearer ` + foreign + `"`, false},
		"our scheme as a second":   {"Negotiate x, Session " + foreign, false},
	} {
		if values := w.behind(off, c.value); (len(values) > 0) != c.kept || (c.kept && values[0] != c.value) {
			t.Errorf("%s: the upstream saw %q", name, values)
		}
	}
}

// A scheme that carries our JWT somewhere is no longer the app's own.
func TestConfiguredSchemeIsNotTheApps(t *testing.T) {
	off := &proxy.Route{Off: true}
	negotiate := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}, Forward: proxy.Forward{Header: "Authorization", Scheme: "Negotiate"}}
	w := newWorld(t, routes(off, negotiate))
	if w.behind(off, "negotiate "+jwtOf(`{"iss":"`+issuer+`"}`)) != nil {
		t.Error("a forged JWT in the scheme of another route")
	}
}

// Where every route forwards in a header of its own, Authorization is the app's,
// but for credentials of ours.
func TestOffWhereNoRouteForwardsInAuthorization(t *testing.T) {
	own, _, off, _ := identityRoutes()
	w := newWorld(t, routes(own, off))
	for name, c := range map[string]struct {
		value string
		kept  bool
	}{
		"unknown scheme": {"Token abc", true},
		"garbage":        {"Bearer a.b.c", true},
		"no iss":         {"Bearer " + jwtOf(`{"sub":"admin"}`), true},
		"session token":  {"Bearer " + w.attest("acme", nil)["session_token"].(string), false},
		"session JWT":    {"Bearer " + w.attest("acme", nil)["session_jwt"].(string), false},
		"trusted token":  {"Bearer " + w.token("acme", nil), false},
	} {
		if values := w.behind(off, c.value); (len(values) > 0) != c.kept {
			t.Errorf("%s: the upstream saw %q", name, values)
		}
	}
}

// A route that forwards in a header of its own may share its upstream with one that
// forwards in Authorization: what `attest off` removes there goes here too, whoever
// sends it.
func TestForgedJWTInAuthorizationOnARouteWithAnotherHeader(t *testing.T) {
	own, beside, _, optional := identityRoutes()
	w := newWorld(t, routes(own, beside, optional))
	cookie := "__Host-session=" + w.attest("acme", nil)["session_token"].(string)
	forged := jwtOf(`{"iss":"` + issuer + `"}`)
	for value, kept := range map[string]bool{
		"JWT " + forged: false, "Token " + forged: false, forged: false, "Basic Bearer " + forged: false, "Bearer a.b": false,
		"Basic b3BzOnNlY3JldA==": true, "Bearer opaque-token-of-the-app": true,
	} {
		for name, c := range map[string]struct {
			route *proxy.Route
			r     *http.Request
		}{
			"anonymous": {optional, get("Authorization", value)},
			"a member":  {own, get("Authorization", value, "Cookie", cookie)},
		} {
			res, up := w.through(c.route, c.r)
			if res.StatusCode != http.StatusNoContent || (up.header.Get("Authorization") != "") != kept {
				t.Errorf("%s, %.20s: %d, the upstream saw %q", name, value, res.StatusCode, up.header["Authorization"])
			}
		}
	}
}

// An attest off inside another attest judges the header that is still there.
func TestForgedJWTBehindOffInsideOptional(t *testing.T) {
	own, beside, off, optional := identityRoutes()
	w := newWorld(t, routes(own, beside, off, optional))
	for value, kept := range map[string]bool{"JWT " + jwtOf(`{"iss":"`+issuer+`"}`): false, "Basic b3BzOnNlY3JldA==": true} {
		up := &upstream{}
		w.gateway.Handler(optional, w.gateway.Handler(off, up)).ServeHTTP(httptest.NewRecorder(), get("Authorization", value))
		if up.calls != 1 || (up.header.Get("Authorization") != "") != kept {
			t.Errorf("%.10s: the upstream saw %q", value, up.header["Authorization"])
		}
	}
}

// Two lines are never forwarded: an upstream may read either.
func TestTwoAuthorizationLinesBehindOff(t *testing.T) {
	off := &proxy.Route{Off: true}
	w := newWorld(t, routes(off, acme()))
	r := get()
	r.Header["Authorization"] = []string{"Basic b3BzOnNlY3JldA==", "Bearer " + jwtOf(`{"iss":"`+issuer+`"}`)}
	if res, up := w.through(off, r); res.StatusCode != http.StatusNoContent || strings.Join(up.header["Authorization"], "") != "" {
		t.Errorf("%d, %q", res.StatusCode, up.header["Authorization"])
	}
}
