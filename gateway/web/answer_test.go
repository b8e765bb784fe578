package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

func answered(refused *authn.Refusal, status int, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "/page?token=secret", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	web.WriteRefusal(w, r, refused, status, "ABC123")
	return w.Result()
}

// People get a page, programs a problem; who is which is what browsers say of themselves.
func TestRefusalsForPeopleAndPrograms(t *testing.T) {
	refused := authn.Refuse("no_credential", nil)
	for _, c := range []struct {
		html   bool
		header []string
	}{
		{true, []string{"Sec-Fetch-Dest", "document"}},
		{true, []string{"Sec-Fetch-Dest", "iframe", "Accept", "*/*"}},
		{true, []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}},
		{true, []string{"Accept", "application/json;q=0.5, text/html"}},
		{false, nil},
		{false, []string{"Accept", "*/*"}},
		{false, []string{"Accept", "application/json"}},
		{false, []string{"Accept", "application/json, text/html;q=0.9"}},
		{false, []string{"Accept", "text/html;q=0"}},
		{false, []string{"Sec-Fetch-Dest", "empty", "Accept", "text/html"}},
		{false, []string{"Sec-Fetch-Dest", "script"}},
		{false, []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Dest", "empty"}},
		{false, []string{"Accept", strings.Repeat("text/html;q=0.1,", 5000) + "a/b"}},
	} {
		res := answered(refused, http.StatusUnauthorized, c.header...)
		kind, want := res.Header.Get("Content-Type"), "application/problem+json"
		if c.html {
			want = "text/html; charset=utf-8"
		}
		if kind != want || res.StatusCode != http.StatusUnauthorized || res.Header.Get("Vary") != "Origin, Accept, Sec-Fetch-Dest" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%.60q: %d %v", c.header, res.StatusCode, res.Header)
		}
		if policy := res.Header.Get("Content-Security-Policy"); c.html != strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("%.60q: policy %q", c.header, policy)
		}
	}
}

func TestProblemHasCodeAndID(t *testing.T) {
	var said map[string]any
	if err := json.NewDecoder(answered(authn.Refuse("requirement_not_met", nil), http.StatusForbidden).Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	if said["code"] != "requirement_not_met" || said["id"] != "ABC123" || said["status"] != 403.0 || said["title"] == "" || !strings.HasSuffix(said["type"].(string), "/errors.md#requirement_not_met") {
		t.Errorf("%v", said)
	}
}

// What a page says is no markup, whoever has written it.
func TestRefusalPageIsInert(t *testing.T) {
	refused := authn.Refuse("no_credential", nil)
	refused.SignIn = `/login?return_to="><script>alert(1)</script>`
	body := read(t, answered(refused, http.StatusUnauthorized, "Sec-Fetch-Dest", "document"))
	if strings.Contains(body, "<script") || !strings.Contains(body, "Sign in</a>") || !strings.Contains(body, "no_credential ABC123") || strings.Contains(body, "secret") {
		t.Error(body)
	}
	refused.SignIn = "javascript:alert(1)"
	if body := read(t, answered(refused, http.StatusUnauthorized, "Sec-Fetch-Dest", "document")); strings.Contains(body, "javascript:") {
		t.Error(body)
	}
	for status, title := range map[int]string{403: "Not allowed", 503: "Not available now", 429: "Not available now", 500: "Not available", 400: "Not understood"} {
		if body := read(t, answered(authn.Refuse("ambiguous_path", nil), status, "Sec-Fetch-Dest", "document")); !strings.Contains(body, "<h1>"+title+"</h1>") {
			t.Errorf("%d: %s", status, body)
		}
	}
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	var text strings.Builder
	if err := res.Write(&text); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(text.String(), "\r\n\r\n")
	return body
}
