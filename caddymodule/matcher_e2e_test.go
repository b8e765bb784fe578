package caddymodule_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

var matchingSite = strings.ReplaceAll(`{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		store memory
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			organization acme
			create members organizations
			map roles roles
			roles *
		}
		template default <<JSON
			{"plan": "pro", "tags": ["a", "sub-editor"]}
			JSON
	}
}
http://127.0.0.1:PORT {
	@early attest role admin
	handle /early {
		redir @early /elsewhere
		respond early
	}
	handle /early-not {
		@not not attest role admin
		redir @not /elsewhere
		respond early
	}
	handle /text {
		attest acme {
			optional
		}
		respond "{http.attest.roles} {http.attest.claims.tags}"
	}
	handle {
		route {
			attest acme {
				optional
			}
			@admin attest role admin
			@both {
				attest role editor
				attest claim plan=pro
			}
			@mine attest profile acme
			@nobody attest anonymous
			@expression expression BACKTICKattest('role', 'owner', 'root') && attest('profile', 'acme')BACKTICK
			@list expression BACKTICK"editor" in {http.attest.claims.tags} || "sub" in {http.attest.roles}BACKTICK
			@element expression BACKTICK"sub-editor" in {http.attest.claims.tags} && "plain" in {http.attest.roles}BACKTICK
			respond @admin admin
			respond @both both
			respond @nobody nobody
			respond @expression expression
			respond @list list
			respond @element element
			respond @mine mine
			respond none
		}
	}
}
`, "BACKTICK", "`")

// Routes behind an attest are told apart by whom it admitted.
func TestMatcher(t *testing.T) {
	s := newSite(t, matchingSite)
	get := func(path string, roles ...any) (int, string) {
		var header []string
		if roles != nil {
			header = []string{"Authorization", "Bearer " + s.issuer.Sign(map[string]any{"aud": "app", "sub": "ada", "roles": roles})}
		}
		res := s.get(path, header...)
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		s.must(err)
		return res.StatusCode, string(data)
	}
	for want, roles := range map[string][]any{
		"admin": {"admin", "editor"}, "both": {"editor"}, "nobody": nil, "expression": {"root"}, "element": {"plain"}, "mine": {"reader", "sub-admin"},
	} {
		if status, body := get("/", roles...); status != http.StatusOK || body != want {
			t.Errorf("%v: %d %q, want %q", roles, status, body, want)
		}
	}
	for _, path := range []string{"/early", "/early-not"} {
		if status, body := get(path, "admin"); status != http.StatusInternalServerError || strings.Contains(body, "early") {
			t.Errorf("%s, asked before an attest has decided: %d %q", path, status, body)
		}
	}
	if _, body := get("/text", "b", "a"); body != `a,b ["a","sub-editor"]` {
		t.Errorf("as text: %s", body)
	}
}
