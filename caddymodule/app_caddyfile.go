package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("attest", readGlobalOption)
}

// readGlobalOption reads a global attest block. Several are one: a later block
// adds to what the earlier ones said, and may refer to it.
func readGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	app := new(App)
	if earlier, ok := existing.(httpcaddyfile.App); ok {
		if err := caddy.StrictUnmarshalJSON(earlier.Value, app); err != nil {
			return nil, err
		}
	}
	if err := app.UnmarshalCaddyfile(d); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "attest", Value: caddyconfig.JSON(app, nil)}, nil
}

// UnmarshalCaddyfile reads a global attest block and checks the whole of it, in
// so far as placeholders do not hide what it says.
//
//	attest {
//		shared_upstream <address>...
//		issuer <url>
//		secret <value>...
//		project <project_id> {
//			secret <value> [sessions|directory|read]...
//		}
//		compat stytch {
//			consumer_organization <id>
//		}
//		store memory | bolt [<path>] | redis <url|address>... {
//			cluster
//			sentinel <master>
//			username <name>
//			password <value>
//			db <number>
//			tls {
//				ca <pem>
//				cert <pem>
//				key <pem>
//				server_name <name>
//			}
//			timeout <duration>
//			pool <connections>
//			prefix <text>
//		}
//		local_cache <entries> <max_age> | off
//		on_store_outage deny | serve_cached <duration>
//		keys {
//			algorithm ES256|RS256|EdDSA
//			rotate_every <duration>
//			file <pem>...
//		}
//		session {
//			duration <duration>
//			max_duration <duration>
//			idle <duration>
//			jwt_lifetime <duration>
//			reuse_for <duration>
//			per_member <n> | off
//			cookie <name> {
//				same_site lax|strict|none
//				domain <domain>
//				trusted_origins <origin>...
//				logout <path> [<then>]
//			}
//		}
//		template <name> <heredoc> | <name> file <path>
//		role <id> {
//			allow <resource> <action>...
//		}
//		test <file>...
//		resource <id> <action>...
//		organization <id> {
//			name <text>
//			external_id <text>
//			slug <text>
//			metadata <json>
//			profiles <name>...
//			adopt off
//		}
//		profile <name> { … }
//	}
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	r := grammar.NewReader(d, nil, "attest")
	if r.NextArg() {
		return r.Errf("the global attest option takes only a block")
	}
	if err := globalBlock.Read(r, a); err != nil {
		return err
	}
	if err := a.writePresets(); err != nil {
		return err
	}
	if p := firstProblem(false, func(c *checker) { c.app(a) }); p != nil {
		return r.Locate(p)
	}
	a.noteSources(r)
	return nil
}

var globalBlock = grammar.Block[App]{Name: "global attest", Lines: []grammar.Line[App]{
	grammar.Texts("shared_upstream", "<address>...", "upstreams that are reached with and without attest on purpose",
		func(a *App) *[]string { return &a.SharedUpstreams }),
	grammar.Text("issuer", "<url>", "iss of the gateway's JWTs, no trailing slash",
		func(a *App) *string { return &a.Issuer }),
	grammar.Texts("secret", "<value>...", "seals what the store keeps, 32 bytes or more; the first seals, all open",
		func(a *App) *[]string { return &a.Secrets }),
	grammar.SubText("project", "<project_id>", "who may call attest_api", projectBlock,
		func(a *App) **Project { return &a.Project }, func(p *Project) *string { return &p.ID }),
	grammar.Line[App]{Name: "compat", Args: "stytch", Help: "speak Stytch's dialect", Block: compatBlock, Read: readCompat},
	grammar.Line[App]{Name: "store", Args: "memory | bolt [<path>] | redis <url|address>...", Help: "where records are kept; default bolt. The block is redis'", Block: redisBlock, Read: readStore},
	grammar.Custom("local_cache", "<entries> <max_age> | off", "what this process remembers of the store; default 10000 5s", readLocalCache),
	grammar.Custom("on_store_outage", "deny | serve_cached <duration>", "what happens to sessions meanwhile; default deny", readStoreOutage),
	grammar.Sub("keys", "the gateway's signing keys", keysBlock,
		func(a *App) **Keys { return &a.Keys }),
	grammar.Sub("session", "how long sessions and their JWTs live", sessionBlock,
		func(a *App) **Session { return &a.Session }),
	grammar.Custom("template", "<name> <heredoc> | <name> file <path>", "claims of the gateway's JWTs; 'default' applies where a route names none", readTemplate),
	grammar.Named("role", "<id>", "what a role permits", roleBlock,
		func(a *App) *map[string]*Role { return &a.Roles }),
	grammar.Texts("test", "<file>...", "cases of tokens and what is expected of them, run at validate",
		func(a *App) *[]string { return &a.Tests }),
	grammar.Custom("resource", "<id> <action>...", "what permissions are about", readResource),
	grammar.Named("organization", "<id>", "an organization that exists by configuration", organizationBlock,
		func(a *App) *map[string]*Organization { return &a.Organizations }),
	grammar.Named("profile", "<name>", "an issuer that is trusted", profileBlock,
		func(a *App) *map[string]*Profile { return &a.Profiles }),
}}

var _ caddyfile.Unmarshaler = (*App)(nil)
