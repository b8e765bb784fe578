package trusttest_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// What the issuer signs verifies with what it publishes, for every algorithm.
func TestIssuerIsBelieved(t *testing.T) {
	idp := trusttest.NewIssuer(t)
	for _, alg := range []string{jose.RS256, jose.PS384, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
		idp.Use(trusttest.NewKey(t, alg))
		config := idp.Config("acme")
		config.Algorithms = []string{alg}
		p, err := trust.NewProfile(config)
		if err != nil {
			t.Fatal(err)
		}
		id, err := p.Verify(t.Context(), idp.Sign(trusttest.Claims{"sub": "u1"}))
		if err != nil || id.ExternalID != "u1" || id.Issuer != idp.URL {
			t.Errorf("%s: %+v, %v", alg, id, err)
		}
	}
	if idp.Fetches() != 6 {
		t.Errorf("%d fetches", idp.Fetches())
	}
}

func TestSignOptions(t *testing.T) {
	idp := trusttest.NewIssuer(t)
	idp.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	token, err := jose.Parse(idp.Sign(trusttest.Claims{"aud": "x", "sub": trusttest.Absent}, trusttest.Type("at+jwt"), trusttest.KeyID("k")))
	if err != nil {
		t.Fatal(err)
	}
	if token.Header.Type != "at+jwt" || token.Header.KeyID != "k" || token.Header.Algorithm != jose.ES256 {
		t.Errorf("%+v", token.Header)
	}
	want := `{"aud":"x","exp":1700000300,"iat":1700000000,"iss":"` + idp.URL + `"}`
	if string(token.Payload) != want {
		t.Errorf("%s, want %s", token.Payload, want)
	}
	if token, err = jose.Parse(idp.Sign(nil, trusttest.NoKeyID(), trusttest.Payload(`{"a":1}`))); err != nil || token.Header.HasKeyID || string(token.Payload) != `{"a":1}` {
		t.Errorf("%+v, %v", token, err)
	}
	var refused *jose.ParseError
	if _, err = jose.Parse(idp.Sign(nil, trusttest.With("alg", "none"))); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
}

func TestBadDays(t *testing.T) {
	idp := trusttest.NewIssuer(t)
	get := func() (int, string) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 100 * time.Millisecond}
		response, err := client.Get(idp.JWKS)
		if err != nil {
			return 0, ""
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	first := string(idp.KeySet())
	for _, c := range []struct {
		name string
		day  func()
		code int
		body string
	}{
		{"good", func() {}, 200, first},
		{"down", idp.Down, 500, "down\n"},
		{"hanging", idp.Hang, 0, ""},
		{"serving rubbish", func() { idp.ServeBody([]byte("<html>")) }, 200, "<html>"},
		{"up again", idp.Up, 200, first},
	} {
		c.day()
		if code, body := get(); code != c.code || body != c.body {
			t.Errorf("%s: %d %s", c.name, code, body)
		}
	}
	idp.Rotate()
	if _, body := get(); body == first || body != string(idp.KeySet()) {
		t.Errorf("after a rotation: %s", body)
	}
}
