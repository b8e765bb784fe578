package coverage_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/caddymodule"
	"github.com/attestgate/caddy-attest/caddymodule/coverage"
)

// Stand-ins for the handlers of this module and for a third party's cache: they
// load without an app around them.
type (
	testAttest struct{ caddymodule.Attest }
	testAPI    struct{ caddymodule.API }
	testCache  struct{}
)

func init() {
	caddy.RegisterModule(new(testAttest))
	caddy.RegisterModule(new(testAPI))
	caddy.RegisterModule(new(testCache))
}

func (*testAttest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_attest", New: func() caddy.Module { return new(testAttest) }}
}
func (*testAttest) Provision(caddy.Context) error { return nil }

func (*testAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_api", New: func() caddy.Module { return new(testAPI) }}
}
func (*testAPI) Provision(caddy.Context) error { return nil }

func (*testCache) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.cache", New: func() caddy.Module { return new(testCache) }}
}

func (*testCache) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}

const global = `{
	admin off
	auto_https off
	attest {
		profile acme {
			dev
		}
		profile corp {
			dev
		}
	}
}
`

// An outcome is what a configuration comes to.
type outcome int

const (
	loads outcome = iota
	warns
	fails
)

// TestWaysPastAttest holds, for handlers that are loaded and for such that are not,
// which configurations let a forged identity through.
func TestWaysPastAttest(t *testing.T) {
	tests := map[string]struct {
		caddyfile string
		want      outcome
		says      string
	}{
		// Attacks.
		"apix beside api": {`http://a.test {
			attest /api/* acme
			reverse_proxy localhost:9000
		}`, fails, "upstream localhost:9000 is behind the attest of Caddyfile:14 (:80, host a.test, path /api/*), and reached without any attest by :80, host a.test"},
		"handle beside a protected handle": {`http://a.test {
			handle /assets/* {
				reverse_proxy localhost:9000
			}
			handle {
				attest acme
				reverse_proxy localhost:9000
			}
		}`, fails, "reached without any attest by :80, host a.test, path /assets/*"},
		"the rest beside a protected handle": {`http://a.test {
			handle /app/* {
				attest acme
				reverse_proxy localhost:9000
			}
			handle {
				reverse_proxy localhost:9000
			}
		}`, fails, "reached without any attest by :80, host a.test, otherwise"},
		"handle_path beside a protected handle": {`http://a.test {
			handle_path /x/* {
				reverse_proxy /y/* localhost:9000
			}
			handle {
				attest acme
				reverse_proxy localhost:9000
			}
		}`, fails, "path /x/*"},
		"reverse_proxy before attest in a route": {`http://a.test {
			route {
				reverse_proxy localhost:9000
				attest acme
			}
		}`, fails, "is never reached, because upstream localhost:9000 answers before it"},
		"site with attest_api only": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://api.test {
			attest_api
			reverse_proxy localhost:9000
		}`, fails, "host api.test"},
		"another server": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://a.test:8081 {
			reverse_proxy localhost:9000
		}`, fails, "reached without any attest by :8081, host a.test"},
		"another port in spelling only": {`http://a.test {
			attest acme
			reverse_proxy localhost:80
		}
		http://b.test {
			reverse_proxy 127.0.0.1
		}`, fails, "host b.test"},
		"another name of this machine": {`http://a.test {
			attest acme
			reverse_proxy 127.0.0.1:9000
		}
		http://b.test {
			reverse_proxy [::1]:9000
		}`, fails, "host b.test"},
		"an address of the environment": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy {env.ATTEST_TEST_UPSTREAM}
		}`, fails, "host b.test"},
		"unix socket": {`http://a.test {
			attest acme
			reverse_proxy unix//run/app.sock
		}
		http://b.test {
			reverse_proxy unix//run/../run/app.sock
		}`, fails, "host b.test"},
		"dynamic a": {`http://a.test {
			attest acme
			reverse_proxy app:9000
		}
		http://b.test {
			reverse_proxy {
				dynamic a app 9000
			}
		}`, fails, "host b.test"},
		"dynamic srv": {`http://a.test {
			attest acme
			reverse_proxy {
				dynamic srv _http._tcp.app.test {
					refresh 5s
				}
			}
		}
		http://b.test {
			reverse_proxy {
				dynamic srv _http._tcp.app.test
			}
		}`, fails, "upstream srv _http._tcp.app.test"},
		"dynamic multi": {`http://a.test {
			attest acme
			reverse_proxy app:9000
		}
		http://b.test {
			reverse_proxy {
				dynamic multi {
					a other 9000
					a app 9000
				}
			}
		}`, fails, "host b.test"},
		"forward_auth": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			forward_auth localhost:9000 {
				uri /check
			}
			respond ok
		}`, fails, "host b.test"},
		"php_fastcgi": {`http://a.test {
			attest /admin/* acme
			php_fastcgi localhost:9000
		}`, fails, "upstream localhost:9000"},
		"handle_errors": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			file_server
			handle_errors {
				reverse_proxy localhost:9000
			}
		}`, fails, "host b.test"},
		"handle_response": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:9001 {
				@down status 503
				handle_response @down {
					reverse_proxy localhost:9000
				}
			}
		}`, fails, "host b.test"},
		"named route": {`&(app) {
			reverse_proxy localhost:9000
		}
		http://a.test {
			attest acme
			invoke app
		}
		http://b.test {
			invoke app
		}`, fails, "host b.test"},
		"snippet": {`(app) {
			reverse_proxy localhost:9000
		}
		http://a.test {
			attest acme
			import app
		}
		http://b.test {
			import app
		}`, fails, "host b.test"},
		"another method": {`http://a.test {
			@get method GET
			attest @get acme
			reverse_proxy localhost:9000
		}`, fails, "behind the attest"},
		"a rewrite that goes on": {`http://a.test {
			@api path /api/*
			route {
				attest @api acme
				handle_path /old/* {
					reverse_proxy /x/* localhost:9001
				}
				reverse_proxy @api localhost:9000
			}
		}`, warns, "cannot be told"},
		"a rewrite to a given path of some requests": {`http://a.test {
			route {
				rewrite /old/* /app{uri}
				attest /app/* acme
				reverse_proxy localhost:9000
			}
		}`, fails, "behind the attest"},
		"a rewrite to a given query": {`http://a.test {
			route {
				rewrite * ?{query}&a=b
				attest /app/* acme
				reverse_proxy localhost:9000
			}
		}`, fails, "behind the attest"},
		"a stripped prefix": {`http://a.test {
			handle_path /x/* {
				attest /app/* acme
				reverse_proxy localhost:9000
			}
		}`, fails, "behind the attest"},
		"attest for every address of one kind": {`http://a.test {
			@all remote_ip 0.0.0.0/0
			attest @all acme
			reverse_proxy localhost:9000
		}`, fails, "behind the attest"},
		"attest for every address, and a client without one": {`http://a.test {
			bind 127.0.0.1 unix//run/attest-test.sock
			@all remote_ip 0.0.0.0/0 ::/0
			attest @all acme
			reverse_proxy localhost:9000
		}`, fails, "behind the attest"},
		"before a rewrite": {`http://a.test {
			route {
				attest /app/* acme
				uri strip_prefix /old
				reverse_proxy localhost:9000
			}
		}`, fails, "behind the attest"},
		"a narrower attest": {`http://a.test {
			attest /api/v1/* acme
			reverse_proxy /api/* localhost:9000
		}`, fails, "path /api/*"},

		"early hints before the upstream": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			respond 103
			reverse_proxy localhost:9000
		}`, fails, "host b.test"},

		// Not decidable.
		"two matchers of one kind": {`http://a.test {
			@a header X-A *
			@b header X-B *
			attest @a acme
			reverse_proxy @b localhost:9000
		}`, warns, "cannot be told"},
		"an expression": {`http://a.test {
			@a expression {path}.startsWith("/api")
			attest @a acme
			reverse_proxy /api/* localhost:9000
		}`, warns, "cannot be told"},
		"a rewrite to a given path": {`http://a.test {
			route {
				rewrite * /app{uri}
				attest /app/* acme
				reverse_proxy localhost:9000
			}
		}`, warns, "cannot be told"},
		"a rewrite to a given path, and a change of it": {`http://a.test {
			route {
				rewrite * /app{uri}
				uri replace x y
				attest /app/* acme
				reverse_proxy localhost:9000
			}
		}`, warns, "cannot be told"},
		"a given method": {`http://a.test {
			@get method GET
			route {
				method GET
				attest @get acme
				reverse_proxy localhost:9000
			}
		}`, warns, "cannot be told"},
		"through a listener that all reach": {`http://a.test {
			attest acme
			reverse_proxy localhost:8081
		}
		http://a.test:8081 {
			reverse_proxy localhost:9000
		}`, warns, "upstream localhost:9000 is behind the attest of Caddyfile:14 (:80, host a.test) by way of the listener :8081"},
		"through a listener that all reach, by its port's range": {`http://a.test {
			attest acme
			reverse_proxy localhost:8082
		}
		http://a.test:18081 {
			reverse_proxy localhost:9000
		}`, warns, "by way of the listener :8081-8083"},
		"through two listeners": {`http://a.test {
			attest acme
			reverse_proxy unix//run/attest-test.sock
		}
		http://a.test:8081 {
			bind unix//run/attest-test.sock|0200
			reverse_proxy localhost:8082
		}
		http://a.test:8082 {
			reverse_proxy localhost:9000
		}`, warns, "upstream localhost:9000 is behind the attest of Caddyfile:14 (:80, host a.test) by way of the listener :8082"},
		"beside a listener on the way": {`http://a.test {
			attest acme
			reverse_proxy localhost:8081
		}
		http://a.test:8081 {
			bind 127.0.0.1
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:9000
		}`, warns, "reached without any attest by :80, host b.test"},
		"an address of the request": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy {http.request.header.X-Backend}
		}`, warns, "may be one that an attest protects"},
		"errors behind an attest": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
			handle_errors {
				reverse_proxy localhost:9000
			}
		}`, warns, "handle_errors"},
		"cache outside attest": {`http://a.test {
			route {
				cache
				attest acme
				reverse_proxy localhost:9000
			}
		}`, warns, "even if it is marked private, where the upstream sends `Vary: Authorization`"},

		// Honest.
		"attest without a matcher": {`http://a.test {
			attest acme
			reverse_proxy /api/* localhost:9000
			reverse_proxy localhost:9000
		}`, loads, ""},
		"attest for every address": {`http://a.test {
			@all remote_ip 0.0.0.0/0 ::/0
			attest @all acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			@all client_ip 10.0.0.0/8 ::/0 0.0.0.0/0
			attest @all acme
			reverse_proxy localhost:9000
		}
		http://c.test {
			@all expression true
			attest @all acme
			reverse_proxy localhost:9000
		}`, loads, ""},
		"the same matcher": {`http://a.test {
			attest /api/* acme
			reverse_proxy /api/* localhost:9000
			reverse_proxy localhost:9001
		}`, loads, ""},
		"a wider attest": {`http://a.test {
			attest /api/* acme
			reverse_proxy /api/v1/* localhost:9000
			reverse_proxy /api/v2 localhost:9000
		}`, loads, ""},
		"a matcher of any kind": {`http://a.test {
			@m {
				expression {path}.startsWith("/api")
				header X-A *
				not remote_ip 10.0.0.0/8
			}
			attest @m acme
			reverse_proxy @m localhost:9000
		}`, loads, ""},
		"matchers and their not": {`http://a.test {
			@in path /api/* /v2/*
			@out not path /api/* /v2/*
			attest @in acme
			attest @out off
			reverse_proxy localhost:9000
		}`, loads, ""},
		"every handle has its own": {`http://a.test {
			handle /api/* {
				attest acme
				reverse_proxy localhost:9000
			}
			handle_path /corp/* {
				attest corp
				reverse_proxy localhost:9000
			}
			handle {
				attest off
				reverse_proxy localhost:9000
			}
		}`, loads, ""},
		"through listeners of this machine": {`http://a.test {
			attest acme
			reverse_proxy localhost:8081
		}
		http://a.test:8081 {
			bind 127.0.0.1 ::1
			reverse_proxy unix//run/attest-test.sock
		}
		http:// {
			bind unix//run/attest-test.sock
			reverse_proxy localhost:9000
		}`, loads, ""},
		"through a listener with an attest of its own": {`http://a.test {
			attest acme
			reverse_proxy localhost:8081
		}
		http://a.test:8081 {
			attest acme
			reverse_proxy localhost:9000
		}`, loads, ""},
		"through a listener, shared on purpose": {`http://a.test {
			attest acme
			reverse_proxy localhost:8081
		}
		http://a.test:8081 {
			reverse_proxy shared:9000
		}`, loads, ""},
		"around one's own listener": {`http://a.test:8081 {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:8081
		}
		http://c.test {
			reverse_proxy localhost:9001
		}`, loads, ""},
		"one of several servers": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:9001
		}
		http://c.test:8081 {
			root /srv
			file_server
		}
		http://d.test:8082 {
			redir https://a.test{uri}
		}`, loads, ""},
		"what is answered before": {`http://a.test {
			@public not path /app/*
			respond @public "hello"
			attest /app/* acme
			reverse_proxy localhost:9000
		}`, loads, ""},
		"files beside": {`http://a.test {
			handle /assets/* {
				root /srv
				file_server
			}
			handle {
				attest acme
				reverse_proxy localhost:9000
			}
		}`, loads, ""},
		"attest before the handles": {`http://a.test {
			attest acme
			handle /x/* {
				reverse_proxy localhost:9000
			}
			handle {
				reverse_proxy localhost:9000
			}
		}`, loads, ""},
		"attest in a handle before": {`http://a.test {
			route {
				handle /x/* {
					attest acme
				}
				reverse_proxy /x/* localhost:9000
			}
		}`, loads, ""},
		"an unrelated rewrite between": {`http://a.test {
			@api path /api/*
			route {
				attest @api acme
				handle_path /old/* {
					respond gone 410
				}
				reverse_proxy @api localhost:9000
			}
		}`, loads, ""},
		"a rewrite for another host between": {`http://a.test, http://b.test {
			@api {
				host a.test
				path /api/*
			}
			@b host b.test
			route {
				attest @api acme
				route @b {
					uri strip_prefix /old
					reverse_proxy localhost:9001
				}
				reverse_proxy @api localhost:9000
			}
		}`, loads, ""},
		"attest before php": {`http://a.test {
			root /srv
			attest acme
			php_fastcgi localhost:9000
			file_server
		}`, loads, ""},
		"attest before a rewrite": {`http://a.test {
			attest /app/* acme
			handle_path /app/* {
				reverse_proxy /x/* localhost:9000
			}
		}`, loads, ""},
		"a rewritten matcher": {`http://a.test {
			route {
				attest /app/* acme
				uri replace x y
				reverse_proxy /app/* localhost:9000
			}
		}`, warns, "cannot be told"},
		"forward_auth behind attest": {`http://a.test {
			attest acme
			forward_auth localhost:9091 {
				uri /check
				copy_headers Remote-User
			}
			reverse_proxy localhost:9000
		}`, loads, ""},
		"errors have their own": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
			handle_errors {
				attest off
				reverse_proxy localhost:9000
			}
		}`, loads, ""},
		"errors of another upstream": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
			handle_errors {
				reverse_proxy localhost:9001
			}
		}`, loads, ""},
		"health checks": {`http://a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:9001 {
				health_uri /up
				health_upstream localhost:9000
			}
		}`, loads, ""},
		"no attest that admits": {`http://a.test {
			attest off
			reverse_proxy localhost:9000
		}
		http://b.test {
			reverse_proxy localhost:9000
		}`, loads, ""},
		"shared on purpose": {`http://a.test {
			attest acme
			reverse_proxy shared:9000
		}
		http://b.test {
			reverse_proxy shared:9000
		}`, loads, ""},
		"cache inside attest": {`http://a.test {
			route {
				attest acme
				cache
				reverse_proxy localhost:9000
			}
		}`, loads, ""},
		"hosts of one site": {`http://a.test, http://b.test {
			@a host a.test
			@b host b.test
			attest @a acme
			attest @b corp
			reverse_proxy localhost:9000
		}`, loads, ""},
		"wildcard hosts": {`http://*.a.test {
			attest acme
			reverse_proxy localhost:9000
		}
		http://*.b.test {
			reverse_proxy localhost:9001
		}`, loads, ""},
	}
	t.Setenv("ATTEST_TEST_UPSTREAM", "localhost:9000")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			written, loaded := unloaded(t, test.caddyfile), provisioned(t, test.caddyfile)
			if diff := cmp.Diff(written, loaded, sameGuards); diff != "" {
				t.Errorf("(-not loaded +loaded)\n%s", diff)
			}
			for _, found := range []coverage.Findings{written, loaded} {
				all := append(slices.Clone(found.Errors), found.Warnings...)
				if got := outcomeOf(found); got != test.want || !strings.Contains(strings.Join(all, "\n"), test.says) {
					t.Errorf("got %d, want %d %q:\n%s", got, test.want, test.says, strings.Join(all, "\n"))
				}
			}
		})
	}
}

// sameGuards takes a handler that is loaded for the same as one that is not yet.
var sameGuards = cmp.Comparer(func(a, b coverage.Guard) bool {
	if a == nil || b == nil {
		return a == b
	}
	admitsA, sourceA := a.Guards()
	admitsB, sourceB := b.Guards()
	return admitsA == admitsB && sourceA == sourceB
})

func outcomeOf(f coverage.Findings) outcome {
	switch {
	case len(f.Errors) > 0:
		return fails
	case len(f.Warnings) > 0:
		return warns
	}
	return loads
}

var shared = []string{"SHARED:9000"}

// unloaded checks servers as they were written.
func unloaded(t *testing.T, sites string) coverage.Findings {
	t.Helper()
	var app caddyhttp.App
	must(t, json.Unmarshal(adapted(t, sites).AppsRaw["http"], &app))
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	return coverage.Check(ctx, app.Servers, shared)
}

// provisioned checks servers that Caddy has loaded.
func provisioned(t *testing.T, sites string) coverage.Findings {
	t.Helper()
	ctx, err := caddy.ProvisionContext(adapted(t, sites))
	must(t, err)
	app, err := ctx.App("http")
	must(t, err)
	return coverage.Check(ctx, app.(*caddyhttp.App).Servers, shared)
}

// adapted is the configuration of the sites, with stand-ins for our handlers and for
// what no Caddyfile can express.
func adapted(t *testing.T, sites string) *caddy.Config {
	t.Helper()
	text := strings.ReplaceAll(sites, "\t\t\t\tcache\n", "\t\t\t\tvars attest_test_cache 1\n")
	data, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(global+text), map[string]any{"filename": "Caddyfile"})
	must(t, err)
	data = []byte(strings.NewReplacer(
		`"handler":"attest"`, `"handler":"test_attest"`, `"handler":"attest_api"`, `"handler":"test_api"`,
		`{"attest_test_cache":1,"handler":"vars"}`, `{"handler":"cache"}`, `":18081"`, `":8081-8083"`,
	).Replace(string(data)))
	c := new(caddy.Config)
	must(t, caddy.StrictUnmarshalJSON(data, c))
	delete(c.AppsRaw, "attest")
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
