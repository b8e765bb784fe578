package probe_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/probe"
)

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

var (
	good    = part(`{"alg":"ES256"}`) + "." + part(`{"sub":"member-probe","aud":"app"}`) + "." + part("signature-of-the-gateway")
	other   = part(`{"alg":"ES256"}`) + "." + part(`{"sub":"member-probe","aud":"another"}`) + "." + part("signature-of-the-gateway")
	expired = part(`{"alg":"ES256"}`) + "." + part(`{"sub":"member-probe","exp":1}`) + "." + part("signature-of-the-gateway")
)

// an app that lets in whom the function says, by status or by what it shows.
func app(t *testing.T, lets func(token string, h http.Header) bool, refuse func(http.ResponseWriter)) probe.Result {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("it sent %s", r.Method)
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !lets(token, r.Header) {
			refuse(w)
			return
		}
		_, _ = w.Write([]byte("hello member-probe"))
	}))
	t.Cleanup(server.Close)
	result, err := probe.Run(t.Context(), probe.Config{URL: server.URL + "/me", Header: "Authorization", Scheme: "Bearer", Good: good, OtherAudience: other, Expired: expired})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func unauthorized(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }
func signIn(w http.ResponseWriter)       { _, _ = w.Write([]byte("please sign in")) }

func TestProbe(t *testing.T) {
	signature := part("signature-of-the-gateway")
	signed := func(token string) bool { return strings.HasSuffix(token, signature) }
	for name, c := range map[string]struct {
		lets   func(string, http.Header) bool
		refuse func(http.ResponseWriter)
		good   bool
		wrong  string // the name of what it takes, or does not
	}{
		"a good app":                    {func(token string, _ http.Header) bool { return token == good }, unauthorized, true, ""},
		"one that shows a page instead": {func(token string, _ http.Header) bool { return token == good }, signIn, true, ""},
		"one that checks nothing":       {func(string, http.Header) bool { return true }, unauthorized, false, "no JWT"},
		"one that only wants a JWT":     {func(token string, _ http.Header) bool { return token != "" }, unauthorized, false, "another signature"},
		"one that takes alg none":       {func(token string, _ http.Header) bool { return token == good || strings.HasSuffix(token, ".") }, unauthorized, false, "alg none"},
		"one without audience":          {func(token string, _ http.Header) bool { return signed(token) && token != expired }, signIn, false, "another audience"},
		"one without expiry":            {func(token string, _ http.Header) bool { return signed(token) && token != other }, unauthorized, false, "expired"},
		"one that believes headers":     {func(token string, h http.Header) bool { return token == good || h.Get("X-User") == "admin" }, unauthorized, false, "headers that name an admin"},
		"one that refuses the gateway":  {func(string, http.Header) bool { return false }, unauthorized, false, "a good JWT"},
	} {
		result := app(t, c.lets, c.refuse)
		if result.Good != c.good || result.Summary == "" {
			t.Errorf("%s: %+v", name, result)
		}
		found := c.wrong == ""
		for _, try := range result.Tries {
			if strings.Contains(try.Name, c.wrong) && try.Accepted != try.Should && try.Says != "" {
				found = true
			}
			if c.good && try.Accepted != try.Should {
				t.Errorf("%s: %+v", name, try)
			}
		}
		if !found {
			t.Errorf("%s: %+v", name, result.Tries)
		}
	}
}

// An app that shows everybody what it got believes everybody; of one that says something
// else each time nothing can be told.
func TestProbeOfAppsThatAnswerEverybody(t *testing.T) {
	n := 0
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"an echo":          {func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) }, "does not verify the signature"},
		"one with a nonce": {func(w http.ResponseWriter, _ *http.Request) { n++; _, _ = w.Write([]byte{byte(n)}) }, "nothing can be told"},
	} {
		server := httptest.NewServer(c.answer)
		defer server.Close()
		result, err := probe.Run(t.Context(), probe.Config{URL: server.URL, Header: "Authorization", Scheme: "Bearer", Good: good, OtherAudience: other, Expired: expired})
		if err != nil || result.Good || !strings.Contains(result.Summary, c.says) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

func TestProbeStaysWhereItIsSent(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	result, err := probe.Run(t.Context(), probe.Config{URL: server.URL, Header: "X-Jwt", Good: good, OtherAudience: other, Expired: expired})
	if err != nil || result.Good || reached {
		t.Errorf("%+v, %v, elsewhere %t", result, err, reached)
	}
	for _, url := range []string{"", "ftp://a/", "app", "http://u:p@app/"} {
		if _, err := probe.Run(t.Context(), probe.Config{URL: url, Header: "X-Jwt", Good: good}); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
	server.Close()
	result, err = probe.Run(t.Context(), probe.Config{URL: server.URL, Header: "X-Jwt", Good: good, OtherAudience: other, Expired: expired})
	if err != nil || result.Good || result.Summary != "the app does not answer" {
		t.Errorf("%+v, %v", result, err)
	}
}
