package caddymodule_test

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestForgedIdentityAroundAttest: a configuration with a way past an attest to the
// upstream that it protects is refused by validate and by run, in whichever order
// Caddy loads its apps. Package coverage has the ways.
func TestForgedIdentityAroundAttest(t *testing.T) {
	s := newSite(t, plainSite)
	around := strings.Replace(plainSite, "attest acme", "attest /api/* acme", 1)
	for range 10 {
		for name, err := range map[string]error{"validate": s.validate(around), "run": s.load(around)} {
			if err == nil || strings.Count(err.Error(), "loading")-strings.Count(name, "run") != 1 || !strings.Contains(err.Error(), "reached without any attest by 127.0.0.1:") || !strings.Contains(err.Error(), "behind the attest of Caddyfile:35 (") {
				t.Fatalf("%s: got %v", name, err)
			}
		}
	}
	shared := strings.Replace(around, "\tattest {\n", "\tattest {\n\t\tshared_upstream "+strings.TrimPrefix(s.app.URL, "http://")+"\n", 1)
	s.must(s.validate(shared))
	s.must(s.validate(strings.Replace(around, "reverse_proxy", "@rest not path /api/*\n\tattest @rest off\n\treverse_proxy", 1)))
}

// TestUndecidableWaysAreTold: what matchers do not decide is a line in the log.
func TestUndecidableWaysAreTold(t *testing.T) {
	s := newSite(t, plainSite)
	s.must(s.load(strings.Replace(plainSite, "attest acme\n\treverse_proxy", "@a header X-A *\n\t@b header X-B *\n\tattest @a acme\n\treverse_proxy @b", 1)))
	if !strings.Contains(s.logged(), "cannot be told whether every request") {
		t.Error("nothing is told")
	}
}

// validate is what `caddy validate` does with the text.
func (s *site) validate(text string) error {
	data, err := s.adapted(text)
	if err != nil {
		return err
	}
	var c caddy.Config
	if err := caddy.StrictUnmarshalJSON(data, &c); err != nil {
		return err
	}
	return caddy.Validate(&c)
}
