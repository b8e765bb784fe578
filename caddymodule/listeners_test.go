package caddymodule

import (
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestListeners: what the gateway concludes from where Caddy listens.
func TestListeners(t *testing.T) {
	dev := map[string]*Profile{"demo": {Dev: true}}
	tests := map[string]struct {
		app    *App       // nil says nothing
		listen [][]string // by server
		// publishing are the servers that have attest_api; they are named a, b, ….
		publishing []string
		issuer     string
		err        string
	}{
		"the first loopback listener is the issuer": {
			listen: [][]string{{"127.0.0.1:8080", "[::1]:8080"}, {"localhost:9090"}}, issuer: "http://127.0.0.1:8080",
		},
		"the first that publishes the keys is": {
			listen: [][]string{{"127.0.0.1:2020"}, {"unix//run/attest.sock"}, {"127.0.0.1:8080", "[::1]:8080"}, {"127.0.0.1:9090"}}, publishing: []string{"b", "c", "d"},
			issuer: "http://127.0.0.1:8080",
		},
		"a name is a loopback one": {listen: [][]string{{"localhost:8080"}}, issuer: "http://localhost:8080"},
		"IPv6":                     {listen: [][]string{{"[::1]:8080"}}, issuer: "http://[::1]:8080"},
		"a socket has no URL":      {listen: [][]string{{"unix//run/attest.sock"}, {"127.0.0.1:1"}}, issuer: "http://127.0.0.1:1"},
		"what is set stays":        {app: &App{Issuer: "https://a.test"}, listen: [][]string{{":443"}}, issuer: "https://a.test"},
		"another server is open":   {listen: [][]string{{"127.0.0.1:8080"}, {":9090"}}, err: "issuer: expected the URL under which upstreams know this gateway, because not every HTTP listener is loopback: :9090"},
		"dev on loopback":          {app: &App{Profiles: dev}, listen: [][]string{{"127.0.0.1:8080"}}, issuer: "http://127.0.0.1:8080"},
		"dev on an open listener":  {app: &App{Issuer: "https://a.test", Profiles: dev}, listen: [][]string{{"127.0.0.1:8080"}, {":9090"}}, err: devOpen(":9090")},
		"dev on an address":        {app: &App{Profiles: dev}, listen: [][]string{{"10.0.0.1:80"}}, err: devOpen("10.0.0.1:80")},
		"dev on all addresses":     {app: &App{Profiles: dev}, listen: [][]string{{"0.0.0.0:80"}}, err: devOpen("0.0.0.0:80")},
		"dev on a mapped address":  {app: &App{Profiles: dev}, listen: [][]string{{"[::ffff:10.0.0.1]:80"}}, err: devOpen("[::ffff:10.0.0.1]:80")},
		"dev on a name like ours":  {app: &App{Profiles: dev}, listen: [][]string{{"localhost.evil.test:80"}}, err: devOpen("localhost.evil.test:80")},
		"dev on an inherited file": {app: &App{Profiles: dev}, listen: [][]string{{"fd/3"}}, err: devOpen("fd/3")},
		"a profile is the listener": {
			app:    &App{Profiles: map[string]*Profile{"self": {Issuers: []string{"http://127.0.0.1:8080"}, Audiences: []string{"x"}, JWKSFile: "a.json"}}},
			listen: [][]string{{"127.0.0.1:8080"}},
			err:    "profile self issuer: a token of the gateway itself would fit, and what it signs is never evidence for it",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := caddyhttp.App{Servers: map[string]*caddyhttp.Server{}}
			for i, listen := range test.listen {
				server.Servers[string(rune('a'+i))] = &caddyhttp.Server{Listen: listen}
			}
			app := orNew(test.app)
			err := app.listenOn(&server, test.publishing)
			if test.err != "" {
				wantProblem(t, err, test.err)
			} else if err != nil || app.Issuer != test.issuer {
				t.Errorf("got %q, %v; want %q", app.Issuer, err, test.issuer)
			}
		})
	}
}

func devOpen(listener string) string {
	return "profile demo dev: anyone with this machine's storage can make its tokens, so that every HTTP listener must be loopback, and " + listener + " is not"
}
