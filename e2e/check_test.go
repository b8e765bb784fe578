package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

const checkedSite = `{
	attest {
		issuer https://gateway.example
		secret 0123456789abcdef0123456789abcdef
		store redis redis://REDIS/0
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			organization acme
		}
	}
}
:PORT {
	attest_api
	respond ok
}
`

// What validate cannot see, check does: an issuer and a store that do not answer.
func TestCheckLooksAtTheNetwork(t *testing.T) {
	issuer, server := trusttest.NewIssuer(t), redistest.Start(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	for name, c := range map[string]struct {
		jwks, redis string
		status      int
		says        []string
	}{
		"right":          {issuer.JWKS, server.Addr, 0, []string{"✓ keys of profile acme: 1 usable", "✓ store redis answers", "✓ clock"}},
		"no keys":        {gone.URL + "/jwks", server.Addr, 1, []string{"✗ keys of profile acme", "status 404", "→ let this machine reach the URL"}},
		"no store":       {issuer.JWKS, "127.0.0.1:1", 1, []string{"✗ store redis", "→ let this machine reach Redis"}},
		"what is risky ": {issuer.JWKS, server.Addr, 0, []string{"! redis", "→ "}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, checkedSite, "REDIS", c.redis, "ISSUER", issuer.URL, "JWKS", c.jwks)
			res := g.run("", "attest", "check", "--config", g.caddyfile(), "--adapter", "caddyfile")
			for _, want := range c.says {
				if !strings.Contains(res.stdout, want) {
					t.Errorf("no %q", want)
				}
			}
			if res.status != c.status {
				t.Errorf("exit status %d", res.status)
			}
			if t.Failed() {
				t.Logf("%s%s", res.stdout, res.stderr)
			}
		})
	}
}
