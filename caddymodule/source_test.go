package caddymodule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrorsOfTheLoadNameTheLine: what only shows when a configuration is loaded is
// told with the file and line all the same: of the profile or template that it is
// about, else of the global block. It is told once, and not once for every handler on
// the way from the http app to this one.
func TestErrorsOfTheLoadNameTheLine(t *testing.T) {
	s := newSite(t, plainSite)
	broken := filepath.Join(s.dir, "template.json")
	s.must(os.WriteFile(broken, []byte("{\n\t\"plan\": {{ nothing }}\n}"), 0o600))
	noPEM := filepath.Join(s.dir, "key.pem")
	s.must(os.WriteFile(noPEM, []byte("no key"), 0o600))
	t.Setenv("ATTEST_TEST_URL", "http://idp.acme.test/jwks.json")
	open := strings.NewReplacer("default_bind 127.0.0.1", "default_bind 0.0.0.0")
	tests := map[string]struct{ text, line, want string }{
		"dev on an open listener": {
			open.Replace(with("profile demo {\n\t\t\tdev\n\t\t\torganization acme\n\t\t\tcreate members organizations\n\t\t}")),
			"profile demo", "profile demo dev: anyone with this machine's storage can make its tokens",
		},
		"no issuer": {
			strings.Replace(open.Replace(plainSite), "issuer http://127.0.0.1:PORT\n", "", 1),
			"attest {", "issuer: expected the URL under which upstreams know this gateway",
		},
		"a template in a file": {
			with("template default file " + broken), "template default", "template default " + broken + ": line 2, column 13: ",
		},
		"a template file that is not there": {
			with("template default file /nonexistent.json"), "template default", "template default: open /nonexistent.json: no such file",
		},
		"a key file that is not there": {
			strings.Replace(plainSite, "jwks_url JWKS", "jwks_file /nonexistent.json", 1),
			"profile acme", "profile acme: open /nonexistent.json: no such file",
		},
		"a key file without a key": {
			strings.Replace(plainSite, "jwks_url JWKS", "public_key_file "+noPEM, 1), "profile acme", "profile acme",
		},
		"what a placeholder stands for": {
			strings.Replace(plainSite, "jwks_url JWKS", "jwks_url {env.ATTEST_TEST_URL}", 1),
			"profile acme", "profile acme jwks_url: must be https",
		},
		"a placeholder of nothing": {
			with("shared_upstream {env.ATTEST_TEST_NOTHING}"), "attest {", "shared_upstream: the placeholder {env.ATTEST_TEST_NOTHING} is empty",
		},
		"several at once": {
			with("shared_upstream {env.ATTEST_TEST_NOTHING} {env.ATTEST_TEST_NEITHER}"), "attest {", "{env.ATTEST_TEST_NEITHER} is empty",
		},
		"a signing key that is not there": {
			with("keys {\n\t\t\tfile /nonexistent.pem\n\t\t}"), "attest {", "open /nonexistent.pem: no such file",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			line := 1 + strings.Count(test.text[:strings.Index(test.text, "\t"+test.line)], "\n")
			place := fmt.Sprintf(", at Caddyfile:%d", line)
			const once = "loading attest app module: "
			for range 10 { // Caddy loads apps in no particular order
				err := s.validate(test.text)
				if err == nil {
					t.Fatal("it is taken")
				}
				text, ok := strings.CutPrefix(strings.Replace(err.Error(), "module: provision attest: ", "module: ", 1), once)
				if !ok || strings.Contains(text, "loading") || !strings.Contains(text, test.want) || !strings.HasSuffix(text, place) {
					t.Fatalf("got  %v\nwant %s%s … %s", err, once, test.want, place)
				}
			}
		})
	}
}

// with is plainSite with further lines of the global block.
func with(lines string) string {
	return strings.Replace(plainSite, "\tattest {\n", "\tattest {\n\t\t"+lines+"\n", 1)
}
