package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// `caddy validate` passes beside the running process, which holds the database,
// and while the issuer of one profile cannot be reached; so does the start.
func TestValidateBesideARunningProcess(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	remote := `		profile remote {
			issuer ` + gone.URL + `
			audience app
			jwks_url ` + gone.URL + `/jwks
			organization demo
		}
	}
}
:PORT`
	g := startGateway(t, strings.Replace(twoDev, "\t}\n}\n:PORT", remote, 1))
	session := "Bearer " + g.mint("demo", "--email", "ada@example.com")
	before := get(t, g.url("/"), "Authorization", session)
	kept, err := os.Stat(g.database())
	if err != nil {
		t.Fatal(err)
	}

	res := g.run("", "validate", "--config", g.caddyfile(), "--adapter", "caddyfile")
	if res.status != 0 || !strings.Contains(res.stdout+res.stderr, "Valid configuration") {
		t.Errorf("exit status %d\n%s%s", res.status, res.stdout, res.stderr)
	}

	if now, err := os.Stat(g.database()); err != nil || !os.SameFile(kept, now) {
		t.Errorf("the database is another file now: %v", err)
	}
	if after := get(t, g.url("/"), "Authorization", session); before.status != http.StatusOK || after.status != http.StatusOK {
		t.Errorf("%d before and %d after", before.status, after.status)
	}
}
