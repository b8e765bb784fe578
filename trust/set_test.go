package trust_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func named(name string) func(*trust.Config) { return func(c *trust.Config) { c.Name = name } }

func audience(list ...string) func(*trust.Config) {
	return func(c *trust.Config) { c.Audiences = list }
}

func issuers(list ...string) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Issuers = list
		if strings.Contains(list[0], "{") {
			c.Organization = "{claims.tid}"
		}
	}
}

func TestNewSetRefusesOneNameTwice(t *testing.T) {
	w := newWorld(t)
	if _, err := trust.NewSet(w.profile(), w.profile()); err == nil || !strings.Contains(err.Error(), `"acme"`) {
		t.Error(err)
	}
}

func TestSetProfiles(t *testing.T) {
	w := newWorld(t)
	a, b := w.profile(named("a")), w.profile(named("b"))
	s := set(t, b, a)
	if got := fmt.Sprint(s.Names()); got != "[b a]" {
		t.Error(got)
	}
	if p, found := s.Profile("a"); p != a || !found {
		t.Error("a is not found")
	}
	if p, found := s.Profile("c"); p != nil || found {
		t.Error("c is found")
	}
}

func TestCheckRoute(t *testing.T) {
	const entra = "https://login.example/{tid}/v2"
	for _, c := range []struct {
		name    string
		a, b    []func(*trust.Config)
		overlap bool
	}{
		{"same issuer and audience", nil, nil, true},
		{"one audience in common", []func(*trust.Config){audience("x", "y")}, []func(*trust.Config){audience("y", "z")}, true},
		{"one issuer in common", []func(*trust.Config){issuers("x", "y")}, []func(*trust.Config){issuers("y", "z")}, true},
		{"template and an issuer of it", []func(*trust.Config){issuers(entra)}, []func(*trust.Config){issuers("https://login.example/t1/v2")}, true},
		{"two templates that meet", []func(*trust.Config){issuers("https://{tid}.example/v2")}, []func(*trust.Config){issuers("https://login.{tid}/v2")}, true},
		{"two templates that meet around a slash", []func(*trust.Config){issuers("a/{tid}")}, []func(*trust.Config){issuers("{tid}/b")}, true},
		{"other audience", nil, []func(*trust.Config){audience("other")}, false},
		{"audience of another claim", nil, []func(*trust.Config){func(c *trust.Config) { c.AudienceClaim = "client_id" }}, false},
		{"other issuer", nil, []func(*trust.Config){issuers("https://other.example")}, false},
		{"template and no issuer of it", []func(*trust.Config){issuers(entra)}, []func(*trust.Config){issuers("https://login.example/v2")}, false},
		{"template and an issuer with a dot", []func(*trust.Config){issuers(entra)}, []func(*trust.Config){issuers("https://login.example/t.1/v2")}, false},
		{"two templates that do not meet", []func(*trust.Config){issuers(entra)}, []func(*trust.Config){issuers("https://login.example/{tid}/v1")}, false},
		{"templates, one with another end", []func(*trust.Config){issuers("a/{tid}")}, []func(*trust.Config){issuers("a/{tid}/")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s := set(t, w.profile(append(c.a, named("a"))...), w.profile(append(c.b, named("b"))...))
			for _, names := range [][]string{{"a", "b"}, {"b", "a"}} {
				err := s.CheckRoute(names)
				if (err != nil) != c.overlap {
					t.Fatalf("%v: %v", names, err)
				}
				if err != nil && (!strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`)) {
					t.Errorf("%v does not name both", err)
				}
			}
		})
	}
}

func TestCheckRouteOfOneAndOfNone(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile())
	if err := errors.Join(s.CheckRoute(nil), s.CheckRoute([]string{"acme"}), s.CheckRoute([]string{"acme", "acme"})); err != nil {
		t.Error(err)
	}
	if err := s.CheckRoute([]string{"nobody"}); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Error(err)
	}
}

// no profile may accept what the gateway itself signs.
func TestCheckIssuer(t *testing.T) {
	for _, c := range []struct {
		issuer, own string
		bad         bool
	}{
		{"https://gw.example", "https://gw.example", true},
		{"https://gw.example/", "https://gw.example", true},
		{"https://GW.example", "https://gw.example", true},
		{"https://{tid}.example", "https://gw.example", true},
		{"https://{tid}.example/", "https://gw.example", true},
		{"stytch.com/project-live-1", "stytch.com/project-live-1", true},
		{"https://idp.example", "https://gw.example", false},
		{"https://gw.example/realm", "https://gw.example", false},
		{"https://{tid}.example", "https://a.b.example", false},
	} {
		w := newWorld(t)
		err := set(t, w.profile(issuers(c.issuer))).CheckIssuer(c.own)
		if (err != nil) != c.bad || c.bad && !strings.Contains(err.Error(), `"acme"`) {
			t.Errorf("%s and %s: %v", c.issuer, c.own, err)
		}
	}
}

func TestSelect(t *testing.T) {
	w := newWorld(t)
	client := func(c *trust.Config) { c.AudienceClaim = "client_id" }
	s := set(t, w.profile(named("web"), audience("web")), w.profile(named("mobile"), audience("mobile")),
		w.profile(named("client"), audience("web"), client), w.profile(named("other"), issuers("https://other.example")))
	all := s.Names()
	for _, c := range []struct {
		name   string
		claims trusttest.Claims
		names  []string
		want   string // profile
		code   string
		check  string
	}{
		{"by audience", trusttest.Claims{"aud": "mobile"}, all, "mobile", "", ""},
		{"by issuer", trusttest.Claims{"iss": "https://other.example"}, all, "other", "", ""},
		{"by audience claim", trusttest.Claims{"aud": absent, "client_id": "web"}, all, "client", "", ""},
		{"unknown issuer", trusttest.Claims{"iss": "https://evil.example"}, all, "", trust.CodeIssuerMismatch, "issuer"},
		{"no issuer", trusttest.Claims{"iss": absent}, all, "", trust.CodeIssuerMismatch, "issuer"},
		{"unknown audience", trusttest.Claims{"aud": "evil"}, all, "", trust.CodeAudienceMismatch, "audience"},
		{"no audience", trusttest.Claims{"aud": absent}, all, "", trust.CodeAudienceMismatch, "audience"},
		{"for two profiles at once", trusttest.Claims{"aud": []any{"web", "mobile"}}, all, "", trust.CodeProfileAmbiguous, "audience"},
		{"for two profiles, of which the route names one", trusttest.Claims{"aud": []any{"web", "mobile"}}, []string{"mobile"}, "mobile", "", ""},
		{"for a profile the route does not name", trusttest.Claims{"aud": "web"}, []string{"mobile", "other"}, "", trust.CodeAudienceMismatch, "audience"},
		{"no profile named", trusttest.Claims{}, nil, "", trust.CodeIssuerMismatch, "issuer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := s.Select(w.Sign(c.claims), c.names)
			if c.code == "" {
				if err != nil || p.Name() != c.want {
					t.Fatalf("%v, %v", p, err)
				}
				return
			}
			r := refused(t, nil, err, c.code)
			if p != nil || r.Check != c.check || r.Remedy == "" {
				t.Errorf("%v, %+v", p, r)
			}
		})
	}
}

func TestSelectRefusesWhatDoesNotParse(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile())
	_, err := s.Select("a.b", []string{"acme"})
	if r := refused(t, nil, err, jose.CodeMalformed); r.Check != "parse" || r.Configured == "" || r.Found != "3 bytes" || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
	if _, err := s.Select(w.Sign(nil), []string{"nobody"}); err == nil || errors.As(err, new(*trust.Refusal)) {
		t.Errorf("a profile that is none: %v", err)
	}
}

// Where a route names one profile, that profile says what is wrong.
func TestSetVerifyWithOneProfile(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile(), w.profile(named("other"), issuers("https://other.example")))
	for code, claims := range map[string]trusttest.Claims{
		trust.CodeIssuerMissing: {"iss": absent}, trust.CodeAudienceMissing: {"aud": absent}, trust.CodeAudienceMismatch: {"aud": "x"},
	} {
		id, err := s.Verify(t.Context(), w.Sign(claims), []string{"acme"})
		if r := refused(t, id, err, code); r.Profile != "acme" {
			t.Errorf("%+v", r)
		}
	}
	id, err := s.Verify(t.Context(), w.Sign(trusttest.Claims{"iss": absent}), s.Names())
	refused(t, id, err, trust.CodeIssuerMismatch)
	id, err = s.Verify(t.Context(), "a.b", s.Names())
	refused(t, id, err, jose.CodeMalformed)
}

// The refusal of one profile is its own; of several it names them all.
func TestSelectRefusalSaysWhatIsConfigured(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile(named("a"), issuers("https://a")), w.profile(named("b"), issuers("https://b")))
	_, err := s.Select(w.Sign(nil), s.Names())
	r := refused(t, nil, err, trust.CodeIssuerMismatch)
	if r.Configured != "a: https://a; b: https://b" || r.Found != w.URL || r.Profile != "" {
		t.Errorf("%+v", r)
	}
	_, err = s.Select(w.Sign(nil), []string{"a"})
	if r := refused(t, nil, err, trust.CodeIssuerMismatch); r.Profile != "a" {
		t.Errorf("%+v", r)
	}
}

func TestTrustsIssuer(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile())
	if !s.TrustsIssuer(w.URL) || s.TrustsIssuer("https://other") || s.TrustsIssuer("") {
		t.Error("the set trusts its issuer and no other")
	}
}

// an issuer that shares its keys with another cannot speak for it, and a
// signature is looked at under the profile's own keys alone.
func TestProfileIsOneUnit(t *testing.T) {
	w := newWorld(t)
	foreign := trusttest.NewKey(t, jose.ES256)
	s := set(t, w.profile(named("a"), issuers("https://a")), w.profile(named("b"), issuers("https://b"), func(c *trust.Config) {
		c.Keys = mustKeys(trust.PEMKeys(foreign.PEM(t)))
	}))
	id, err := s.Verify(t.Context(), w.Sign(trusttest.Claims{"iss": "https://b"}), s.Names())
	refused(t, id, err, trust.CodeSignatureInvalid)
	id, err = s.Verify(t.Context(), w.Sign(trusttest.Claims{"iss": "https://b"}, trusttest.By(foreign)), s.Names())
	if err != nil || id.Profile != "b" {
		t.Errorf("%+v, %v", id, err)
	}
}

// What is remembered costs no allocation; what explains or verifies on its own
// leaves no trace to be remembered.
func TestSetRemembers(t *testing.T) {
	w := newWorld(t)
	p := w.profile()
	s := set(t, p)
	token, names := w.Sign(nil), []string{"acme"}
	verify := func() *trust.Identity {
		id, err := s.Verify(t.Context(), token, names)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	p.Explain(t.Context(), token)
	alone := accept(t, p, token)
	first := verify()
	if first == alone {
		t.Error("the set answers what the profile verified")
	}
	if second := verify(); second != first {
		t.Error("the second time is verified anew")
	}
	if warm := testing.AllocsPerRun(100, func() { verify() }); warm > 1 {
		t.Errorf("%.0f allocations", warm)
	}
}

func TestSetForgets(t *testing.T) {
	names := []string{"acme"}
	for _, c := range []struct {
		name   string
		change func(*world, *trust.RemoteKeys)
		code   string // "" for an outage
	}{
		{"at exp and leeway", func(w *world, _ *trust.RemoteKeys) { w.clock.Advance(6 * time.Minute) }, trust.CodeExpired},
		{"when the clock is set back before iat", func(w *world, _ *trust.RemoteKeys) { w.clock.Advance(-2 * time.Minute) }, trust.CodeIssuedInFuture},
		{"F17 when the key leaves the set", func(w *world, k *trust.RemoteKeys) {
			w.Rotate()
			_ = k.Refresh(w.t.Context())
		}, trust.CodeKeyUnknown},
		{"when the key is not for signatures any more", func(w *world, k *trust.RemoteKeys) {
			body := strings.Replace(string(w.KeySet()), `"use":"sig"`, `"use":"enc"`, 1)
			other := strings.TrimPrefix(string(publish(trusttest.NewKey(w.t, jose.ES256))), `{"keys":[`)
			w.ServeBody([]byte(strings.TrimSuffix(body, `]}`) + "," + other))
			_ = k.Refresh(w.t.Context())
		}, trust.CodeKeyUnknown},
		{"when the last good set is too old", func(w *world, _ *trust.RemoteKeys) {
			w.Down()
			w.clock.Advance(2 * time.Minute)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			keys := w.Keys(trust.RemoteConfig{StaleFor: time.Minute})
			config := w.config()
			config.Keys = keys
			s := set(t, profile(t, config))
			token := w.Sign(nil)
			if _, err := s.Verify(t.Context(), token, names); err != nil {
				t.Fatal(err)
			}
			c.change(w, keys)
			id, err := s.Verify(t.Context(), token, names)
			if c.code == "" {
				unavailable(t, err)
				return
			}
			refused(t, id, err, c.code)
		})
	}
}

// What one route remembers does not decide for another: a token that is for two
// profiles of this route is ambiguous here, though it was not there.
func TestSetRemembersTheChoiceOfProfile(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile(named("web"), audience("web")), w.profile(named("mobile"), audience("mobile")))
	token := w.Sign(trusttest.Claims{"aud": []any{"web", "mobile"}})
	for range 2 {
		for _, name := range []string{"web", "mobile"} {
			id, err := s.Verify(t.Context(), token, []string{name})
			if err != nil || id.Profile != name {
				t.Fatalf("%s: %+v, %v", name, id, err)
			}
		}
		id, err := s.Verify(t.Context(), token, []string{"mobile", "web"})
		refused(t, id, err, trust.CodeProfileAmbiguous)
	}
}

// A remembered token vouches for its own text and no other.
func TestSetRemembersTheWholeToken(t *testing.T) {
	w := newWorld(t)
	s := set(t, w.profile())
	token, names := w.Sign(nil), []string{"acme"}
	if _, err := s.Verify(t.Context(), token, names); err != nil {
		t.Fatal(err)
	}
	for n := range token {
		for _, changed := range []string{token[:n], token + token[n:], token[:n] + flip(token[n]) + token[n+1:]} {
			if _, err := s.Verify(t.Context(), changed, names); err == nil && changed != token {
				t.Fatalf("accepted with a change at byte %d", n)
			}
		}
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// CVE-2026-71326: many requests of many people at once, and nobody is another.
func TestSetVerifyConcurrently(t *testing.T) {
	w := newWorld(t)
	config := w.config()
	config.Keys = w.Keys(trust.RemoteConfig{})
	s := set(t, profile(t, config))
	tokens := make([]string, 64)
	for n := range tokens {
		tokens[n] = w.Sign(trusttest.Claims{"sub": fmt.Sprint("user-", n)})
	}
	var group sync.WaitGroup
	for n := range 640 {
		group.Go(func() {
			id, err := s.Verify(t.Context(), tokens[n%64], []string{"acme"})
			if err != nil || id.ExternalID != fmt.Sprint("user-", n%64) {
				t.Errorf("user-%d is %+v, %v", n%64, id, err)
			}
		})
	}
	group.Wait()
	if w.Fetches() != 1 {
		t.Errorf("%d fetches of the keys", w.Fetches())
	}
}

// F27: of a thousand who show one token at once, one verifies it.
func TestSetVerifiesOnceForAll(t *testing.T) {
	w := newWorld(t)
	config := w.config()
	config.Keys = w.Keys(trust.RemoteConfig{})
	s := set(t, profile(t, config))
	body, release := w.KeySet(), make(chan struct{})
	w.Serve(func(rw http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = rw.Write(body)
	})
	token := w.Sign(nil)
	ids := make([]*trust.Identity, 1000)
	var group sync.WaitGroup
	for n := range ids {
		group.Go(func() {
			// The first to come may give up, at no cost to the others.
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			ids[n], _ = s.Verify(ctx, token, []string{"acme"})
		})
	}
	for w.Fetches() == 0 {
		runtime.Gosched()
	}
	close(release)
	group.Wait()
	for n, id := range ids {
		if id == nil || id != ids[0] {
			t.Fatalf("caller %d has an identity of his own: %+v", n, id)
		}
	}
}

// A map of 100 entries and one of 101 answer alike (CVE-2026-27588).
func TestSetOfManyProfiles(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{1, 100, 101, 300} {
		profiles := make([]*trust.Profile, n)
		for i := range profiles {
			profiles[i] = w.profile(named(fmt.Sprint("p", i)), audience(fmt.Sprint("a", i)))
		}
		s := set(t, profiles...)
		if err := s.CheckRoute(s.Names()); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			id, err := s.Verify(t.Context(), w.Sign(trusttest.Claims{"aud": fmt.Sprint("a", i)}), s.Names())
			if err != nil || id.Profile != fmt.Sprint("p", i) {
				t.Errorf("%d of %d: %+v, %v", i, n, id, err)
			}
		}
	}
}
