package gateway_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// typOf is the typ of a JWT.
func typOf(t *testing.T, jwt string) string {
	t.Helper()
	head, _, _ := strings.Cut(strings.TrimPrefix(jwt, "Bearer "), ".")
	data, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), `"typ":"`)
	kind, _, _ := strings.Cut(rest, `"`)
	return kind
}

// An access token (RFC 9068) says for whom it was asked, and shares no JWT with other routes.
func TestAccessToken(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, AccessToken: true, Scope: "read write"}}
	plain := acme()
	w := newWorld(t, routes(route, plain), func(s *setup) { s.profiles["acme"].KeepClaims = authn.ClientClaims })
	for _, c := range []struct {
		claims claims.Object
		want   string
	}{
		{claims.Object{"azp": "client-7", "client_id": "other", "jti": "1"}, "client-7"},
		{claims.Object{"client_id": "client-8", "jti": "2"}, "client-8"},
		{claims.Object{"cid": "client-9", "jti": "3"}, "client-9"},
		{claims.Object{"azp": 7, "jti": "4"}, project},
		{claims.Object{"jti": "5"}, project},
	} {
		token := w.token("acme", c.claims)
		_, up := w.through(route, bearer(token))
		first := up.header.Get("Authorization")
		if typOf(t, first) != "at+jwt" || up.claims["client_id"] != c.want || up.claims["scope"] != "read write" || up.claims["jti"] == nil {
			t.Errorf("%v: %s %v", c.claims, typOf(t, first), up.claims)
		}
		if _, again := w.through(route, bearer(token)); again.header.Get("Authorization") != first {
			t.Error("it is not reused")
		}
		_, other := w.through(plain, bearer(token))
		if typOf(t, other.header.Get("Authorization")) != "JWT" || other.claims["jti"] != nil || other.claims["client_id"] != nil {
			t.Errorf("another route: %v", other.claims)
		}
		res, _ := w.through(plain, bearer(strings.TrimPrefix(first, "Bearer ")))
		if res.StatusCode != 401 {
			t.Errorf("it is a credential itself: %d", res.StatusCode)
		}
		w.clock.Advance(31 * time.Second)
		if _, later := w.through(route, bearer(token)); later.claims["jti"] == up.claims["jti"] || later.claims["jti"] == nil {
			t.Error("two mints have one jti")
		}
	}
}

func TestAccessTokenThatCannotBe(t *testing.T) {
	for what, r := range map[string]authn.Route{
		"scope alone":  {Scope: "read"},
		"no scope":     {AccessToken: true, Scope: `a"b`},
		"two spaces":   {AccessToken: true, Scope: "a  b"},
		"a long scope": {AccessToken: true, Scope: strings.Repeat("a", 1001)},
	} {
		if r.Check() == nil {
			t.Error(what)
		}
	}
}
