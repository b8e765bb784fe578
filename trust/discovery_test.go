package trust_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/trust"
)

// discovered is a world whose profile finds the issuer's keys by discovery. document
// makes the document of the issuer's URL.
func discovered(t *testing.T, c trust.RemoteConfig, document func(issuer, jwks string) http.HandlerFunc) (*world, *trust.RemoteKeys, *trust.Profile, string) {
	t.Helper()
	w := newWorld(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.Handle("/.well-known/openid-configuration", document(server.URL, w.JWKS))
	if c.Discover == "" {
		c.Discover = server.URL
	}
	c.Now = w.clock.Now
	keys, err := trust.NewRemoteKeys(c)
	if err != nil {
		t.Fatal(err)
	}
	return w, keys, w.profile(func(config *trust.Config) { config.Keys, config.Issuers = keys, []string{server.URL} }), server.URL
}

func says(format string, values ...any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, format, values...) }
}

// An issuer's keys are found through its document, and through two rotations.
func TestDiscovery(t *testing.T) {
	w, keys, p, issuer := discovered(t, trust.RemoteConfig{}, func(issuer, jwks string) http.HandlerFunc {
		return says(`{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["none","HS256"]}`, issuer, jwks)
	})
	sign := func() string { return w.Sign(map[string]any{"iss": issuer}) }
	accept(t, p, sign())
	for range 2 {
		w.Rotate()
		accept(t, p, sign())
		w.clock.Advance(trust.RefetchInterval)
	}
	if s := keys.Status(); s.Keys != 1 || s.Err != nil {
		t.Errorf("%+v", s)
	}
}

// A document that somebody has changed must not have the operator's credentials sent to
// another host.
func TestDiscoveryKeepsCredentialsToTheIssuer(t *testing.T) {
	var asked, elsewhere http.Header
	var keysAt string
	w, _, p, issuer := discovered(t, trust.RemoteConfig{
		Bearer: func() (string, error) { return "secret", nil }, Header: http.Header{"X-Api-Key": {"k"}},
	}, func(issuer, _ string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			asked = r.Header.Clone()
			says(`{"issuer":%q,"jwks_uri":%q}`, issuer, keysAt)(rw, r)
		}
	})
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		elsewhere = r.Header.Clone()
		keys, err := http.Get(w.JWKS)
		if err != nil {
			t.Error(err)
			return
		}
		defer keys.Body.Close()
		io.Copy(rw, keys.Body)
	}))
	defer other.Close()
	keysAt = other.URL
	accept(t, p, w.Sign(map[string]any{"iss": issuer}))
	if elsewhere == nil {
		t.Fatal("the keys were not asked for")
	}
	for name, want := range map[string]string{"Authorization": "Bearer secret", "X-Api-Key": "k"} {
		if asked.Get(name) != want || elsewhere.Get(name) != "" {
			t.Errorf("%s: %q to the issuer, %q to another host", name, asked.Get(name), elsewhere.Get(name))
		}
	}
}

func TestDiscoveryRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		document func(issuer, jwks string) http.HandlerFunc
		says     string
	}{
		"another issuer": {func(_, jwks string) http.HandlerFunc {
			return says(`{"issuer":"https://other.example","jwks_uri":%q}`, jwks)
		}, "of another issuer"},
		"a slash more": {func(issuer, jwks string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":%q}`, issuer+"/", jwks)
		}, "of another issuer"},
		"no issuer":   {func(_, jwks string) http.HandlerFunc { return says(`{"jwks_uri":%q}`, jwks) }, "of another issuer"},
		"no jwks_uri": {func(issuer, _ string) http.HandlerFunc { return says(`{"issuer":%q}`, issuer) }, "no jwks_uri"},
		"jwks_uri to a file": {func(issuer, _ string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":"file:///etc/passwd"}`, issuer)
		}, "must be"},
		"jwks_uri by http": {func(issuer, _ string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":"http://keys.example/"}`, issuer)
		}, "must be https"},
		"metadata service": {func(issuer, _ string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":"https://169.254.169.254/"}`, issuer)
		}, "not public"},
		"HTML": {func(string, string) http.HandlerFunc { return says("<html>") }, ""},
		"jwks_uri twice": {func(issuer, jwks string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":"x","jwks_uri":%q}`, issuer, jwks)
		}, "duplicate"},
		"redirect off origin": {func(string, string) http.HandlerFunc {
			return http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound).ServeHTTP
		}, "redirects are followed only within"},
		"500": {func(string, string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
		}, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			w, keys, p, issuer := discovered(t, trust.RemoteConfig{}, c.document)
			_, err := p.Verify(t.Context(), w.Sign(map[string]any{"iss": issuer}))
			unavailable(t, err)
			if status := keys.Status(); status.Err == nil || !strings.Contains(status.Err.Error(), c.says) {
				t.Errorf("%v", status.Err)
			}
		})
	}
	for name, c := range map[string]trust.RemoteConfig{
		"a capture":    {Discover: "https://login.example/{tid}/v2.0"},
		"beside a URL": {Discover: "https://idp.example", URL: "https://idp.example/jwks"},
		"http":         {Discover: "http://idp.example"},
		"no URL":       {Discover: "idp"},
		"a query":      {Discover: "https://idp.example?x=1"},
		"a bad CA":     {Discover: "https://idp.example", CA: []byte("x")},
	} {
		_, err := trust.NewRemoteKeys(c)
		var mistake *trust.ConfigError
		if !errors.As(err, &mistake) || mistake.Option != "discover" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys that move to another host are told of, once they are usable there.
func TestDiscoveryTellsOfKeysThatMove(t *testing.T) {
	var mu sync.Mutex
	var moved []string
	at := ""
	w, keys, p, issuer := discovered(t, trust.RemoteConfig{Moved: func(from, to string) { moved = append(moved, from+" "+to) }}, func(issuer, jwks string) http.HandlerFunc {
		at = jwks
		return func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			says(`{"issuer":%q,"jwks_uri":%q}`, issuer, at)(rw, r)
		}
	})
	accept(t, p, w.Sign(map[string]any{"iss": issuer}))
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(w.KeySet()) }))
	defer other.Close()
	mu.Lock()
	at = other.URL
	mu.Unlock()
	if err := keys.Refresh(context.Background()); err != nil || len(moved) != 1 || !strings.HasSuffix(moved[0], strings.TrimPrefix(other.URL, "http://")) {
		t.Errorf("%v, %v", err, moved)
	}
}

// Headers, a proxy and http to a private host, each with its limits.
func TestRemoteOptions(t *testing.T) {
	w := newWorld(t)
	var seen http.Header
	w.Serve(func(rw http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		_, _ = rw.Write(w.KeySet())
	})
	keys := w.Keys(trust.RemoteConfig{Header: http.Header{"X-Api-Key": {"k"}}})
	if err := keys.Refresh(t.Context()); err != nil || seen.Get("X-Api-Key") != "k" {
		t.Errorf("%v, %v", err, seen)
	}
	proxied := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		proxied = r.URL.String()
		_, _ = rw.Write(w.KeySet())
	}))
	defer proxy.Close()
	through, _ := url.Parse(proxy.URL)
	named := strings.Replace(w.JWKS, "127.0.0.1", "localhost", 1)
	if err := w.Keys(trust.RemoteConfig{URL: named, Proxy: through}).Refresh(t.Context()); err != nil || proxied != named {
		t.Errorf("%v, %q", err, proxied)
	}
	for name, c := range map[string]struct {
		config trust.RemoteConfig
		ok     bool
	}{
		"an address behind a proxy":   {trust.RemoteConfig{URL: "https://10.0.0.1/", Proxy: through}, false},
		"http where it is allowed":    {trust.RemoteConfig{URL: "http://idp.internal/", AllowHTTP: true}, true},
		"https where http is allowed": {trust.RemoteConfig{URL: "https://idp.internal/", AllowHTTP: true}, false},
		"http where it is not":        {trust.RemoteConfig{URL: "http://idp.internal/", AllowPrivate: true}, false},
	} {
		if err := c.config.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, address := range []string{"http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://93.184.216.34/", "http://100.100.100.200/"} {
		keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: address, AllowHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "not public") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"https://169.254.169.254/", "https://[fe80::1]/", "https://[fd00:ec2::254]/"} {
		keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: address, AllowPrivate: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "not public") {
			t.Errorf("allow_private %s: %v", address, err)
		}
	}
}
