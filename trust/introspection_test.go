package trust_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// An asked is an issuer that says what its tokens are.
type asked struct {
	*httptest.Server
	mu     sync.Mutex
	tokens map[string]map[string]any
	asks   int
	last   *http.Request
	answer http.HandlerFunc
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asks++
	_ = r.ParseForm()
	a.last = r
	if a.answer != nil {
		a.answer(w, r)
		return
	}
	said := map[string]any{"active": false}
	if claims, known := a.tokens[r.PostForm.Get("token")]; known {
		said = map[string]any{"active": true}
		for name, v := range claims {
			said[name] = v
		}
	}
	_ = json.NewEncoder(w).Encode(said)
}

func (a *asked) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asks
}

// asking is a world with a profile whose issuer is asked.
func asking(t *testing.T, change ...func(*trust.IntrospectionConfig)) (*world, *asked, *trust.Profile) {
	t.Helper()
	w, a := newWorld(t), &asked{}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	a.tokens = map[string]map[string]any{"good": {
		"sub": "ada", "client_id": trusttest.Audience, "exp": w.clock.Now().Add(time.Hour).Unix(), "scope": "read write",
	}}
	c := trust.IntrospectionConfig{Remote: trust.RemoteConfig{URL: a.URL, Now: w.clock.Now}, ClientID: "gate:way", ClientSecret: "s e"}
	for _, f := range change {
		f(&c)
	}
	source, err := trust.NewIntrospection(c)
	if err != nil {
		t.Fatal(err)
	}
	return w, a, w.profile(func(c *trust.Config) { c.Keys = source })
}

func TestIntrospection(t *testing.T) {
	w, a, p := asking(t)
	id := accept(t, p, "good")
	if id.ExternalID != "ada" || id.Issuer != w.URL || id.TokenID == "" || !id.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) {
		t.Errorf("%+v", id)
	}
	user, secret, _ := a.last.BasicAuth()
	if a.last.Method != "POST" || user != "gate%3Away" || secret != "s+e" || a.last.PostForm.Get("token_type_hint") != "access_token" {
		t.Errorf("asked with %v %s %s", a.last.Method, user, secret)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		code   string
	}{
		"another audience":       {map[string]any{"aud": "other"}, trust.CodeAudienceMismatch},
		"aud before client_id":   {map[string]any{"aud": []any{"other"}, "client_id": trusttest.Audience}, trust.CodeAudienceMismatch},
		"another client":         {map[string]any{"client_id": "other"}, trust.CodeAudienceMismatch},
		"no audience":            {map[string]any{"client_id": nil}, trust.CodeAudienceMissing},
		"another issuer":         {map[string]any{"iss": "https://other.example"}, trust.CodeIssuerMismatch},
		"an issuer of no text":   {map[string]any{"iss": 7}, trust.CodeIssuerMissing},
		"no end":                 {map[string]any{"exp": nil}, trust.CodeExpiryMissing},
		"expired all the same":   {map[string]any{"exp": 1}, trust.CodeExpired},
		"an end in words":        {map[string]any{"exp": "soon"}, trust.CodeExpiryInvalid},
		"nobody":                 {map[string]any{"sub": nil}, trust.CodeIdentityMissing},
		"not before":             {map[string]any{"nbf": w.clock.Now().Add(time.Hour).Unix()}, trust.CodeNotYetValid},
		"a lifetime of two days": {map[string]any{"exp": w.clock.Now().Add(48 * time.Hour).Unix()}, trust.CodeLifetime},
	} {
		claims := map[string]any{}
		for n, v := range a.tokens["good"] {
			claims[n] = v
		}
		for n, v := range c.claims {
			claims[n] = v
		}
		a.mu.Lock()
		a.tokens[strings.ReplaceAll(name, " ", "_")] = claims
		a.mu.Unlock()
		refuse(t, p, strings.ReplaceAll(name, " ", "_"), c.code)
	}
}

// What is no token of the kind is not shown to the issuer.
func TestIntrospectionRefusesOtherForms(t *testing.T) {
	w, a, p := asking(t)
	for _, token := range []string{"", "a b", "tab\tbed", "línea", "a.b.c", w.Sign(nil), strings.Repeat("x", 16<<10+1)} {
		refuse(t, p, token, trust.CodeTokenForm)
	}
	if a.questions() != 0 {
		t.Errorf("the issuer was asked %d times", a.questions())
	}
	refuse(t, p, "unknown", trust.CodeInactive)
}

// Good answers are remembered for Cache, never past the token's end, and bad ones for half
// a minute.
func TestIntrospectionRemembers(t *testing.T) {
	w, a, p := asking(t)
	a.tokens["short"] = map[string]any{"sub": "ada", "client_id": trusttest.Audience, "exp": w.clock.Now().Add(-55 * time.Second).Unix()}
	s := set(t, p)
	verify := func(token string) error {
		_, err := s.Verify(t.Context(), token, []string{p.Name()})
		return err
	}
	asks := func(want int, token string, good bool) {
		t.Helper()
		before := a.questions()
		for range 3 {
			if err := verify(token); (err == nil) != good {
				t.Fatalf("%s: %v", token, err)
			}
		}
		if n := a.questions() - before; n != want {
			t.Errorf("%s: asked %d times, want %d", token, n, want)
		}
	}
	asks(1, "good", true)
	asks(1, "bad", false)
	asks(1, "short", true)
	w.clock.Advance(29 * time.Second)
	asks(0, "good", true)
	asks(0, "bad", false)
	asks(3, "short", false) // its end and the leeway are over
	w.clock.Advance(2 * time.Second)
	a.mu.Lock()
	a.tokens["bad"] = a.tokens["good"]
	delete(a.tokens, "good")
	a.mu.Unlock()
	asks(1, "good", false) // revoked
	asks(1, "bad", true)
}

// Whoever is asked and does not answer is an outage, and no refusal.
func TestIntrospectionOutages(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"401":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"HTML":          says("<html>"),
		"no active":     says(`{"sub":"ada"}`),
		"active a text": says(`{"active":"true","sub":"ada"}`),
		"active twice":  says(`{"active":false,"active":true}`),
		"long": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"active":true,"x":"%s"}`, strings.Repeat("x", 1<<20))
		},
		"a redirect": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/other"); w.WriteHeader(307) },
	} {
		_, a, p := asking(t)
		a.answer = answer
		if _, err := p.Verify(t.Context(), "good"); !errors.Is(err, trust.ErrKeysUnavailable) || strings.Contains(err.Error(), "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, a, p := asking(t)
	a.Close()
	if _, err := p.Verify(t.Context(), "good"); !errors.Is(err, trust.ErrKeysUnavailable) {
		t.Errorf("down: %v", err)
	}
}

// Strangers' tokens cost the issuer fifty questions a second.
func TestIntrospectionRate(t *testing.T) {
	w, a, p := asking(t)
	for i := range 1000 {
		_, err := p.Verify(t.Context(), fmt.Sprint("random-", i))
		var later interface{ RetryAfter() time.Duration }
		if i >= trust.IntrospectionRate && (!errors.Is(err, trust.ErrKeysUnavailable) || !errors.As(err, &later) || later.RetryAfter() <= 0) {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if n := a.questions(); n != trust.IntrospectionRate {
		t.Errorf("asked %d times", n)
	}
	w.clock.Advance(time.Second)
	accept(t, p, "good")
}

// A token that the issuer knows and the profile refuses costs no more than others.
func TestIntrospectionRateOfOneRefusedToken(t *testing.T) {
	w, a, p := asking(t)
	a.tokens["other"] = map[string]any{"sub": "ada", "client_id": "another-app"}
	s := set(t, p)
	for range 1000 {
		if _, err := s.Verify(t.Context(), "other", []string{p.Name()}); err == nil {
			t.Fatal("a token for another audience")
		}
	}
	if n := a.questions(); n != trust.IntrospectionRate {
		t.Errorf("asked %d times", n)
	}
	w.clock.Advance(time.Second)
	accept(t, p, "good")
}

// On one route opaque tokens are of the profile that introspects, and JWTs of the others.
func TestIntrospectionBesideSignedTokens(t *testing.T) {
	w, _, p := asking(t)
	jwts := w.profile(func(c *trust.Config) { c.Name = "jwts" })
	s := set(t, p, jwts)
	names := []string{p.Name(), "jwts"}
	if err := s.CheckRoute(names); err != nil {
		t.Error(err)
	}
	for token, want := range map[string]string{"good": p.Name(), w.Sign(nil): "jwts"} {
		for range 2 {
			if id, err := s.Verify(t.Context(), token, names); err != nil || id.Profile != want {
				t.Errorf("%.10s: %+v %v", token, id, err)
			}
		}
	}
	if e := s.ExplainToken(t.Context(), "Bearer good", names); !e.Good || e.Profile != p.Name() {
		t.Errorf("%+v", e)
	}
	two := w.profile(func(c *trust.Config) { c.Name, c.Keys, c.Audiences = "two", p.Config().Keys, []string{"x"} })
	if err := set(t, p, two).CheckRoute([]string{p.Name(), "two"}); err == nil {
		t.Error("two profiles introspect at one place")
	}
	if _, err := trust.NewProfile(w.config(func(c *trust.Config) { c.Keys, c.Issuers = p.Config().Keys, append(c.Issuers, "https://b.example") })); err == nil {
		t.Error("two issuers, of which the answer need not say which")
	}
}

func TestIntrospectionConfig(t *testing.T) {
	for name, c := range map[string]trust.IntrospectionConfig{
		"http":            {Remote: trust.RemoteConfig{URL: "http://idp.example/introspect"}},
		"no URL":          {},
		"a long cache":    {Remote: trust.RemoteConfig{URL: "https://idp.example/"}, Cache: time.Hour},
		"half a client":   {Remote: trust.RemoteConfig{URL: "https://idp.example/"}, ClientID: "x"},
		"a negative time": {Remote: trust.RemoteConfig{URL: "https://idp.example/"}, Cache: -1},
	} {
		var mistake *trust.ConfigError
		if _, err := trust.NewIntrospection(c); !errors.As(err, &mistake) || !strings.HasPrefix(mistake.Option, "introspect") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
