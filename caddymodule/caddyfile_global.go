package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
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
//			cookie <name> {
//				same_site lax|strict|none
//				domain <domain>
//			}
//		}
//		template <name> <heredoc> | <name> file <path>
//		role <id> {
//			allow <resource> <action>...
//		}
//		resource <id> <action>...
//		organization <id> {
//			name <text>
//			external_id <text>
//			slug <text>
//			metadata <json>
//			profiles <name>...
//		}
//		profile <name> {
//			issuer <iss>...
//			audience <aud>... [from <claim>]
//			jwks_url <url> {
//				bearer <path>
//				ca <pem>
//				allow_private
//			}
//			jwks_file <path>
//			public_key_file <pem>...
//			dev
//			algorithms <alg>...
//			types <typ>...
//			leeway <duration>
//			max_token_age <duration>
//			max_lifetime <duration>
//			stale_keys <duration>
//			require_claims <claim>[=<value>]...
//			map <attribute> <claim path>
//			map {
//				<attribute> <claim path>
//			}
//			roles <role>...
//			roles {
//				<value> <role>...
//			}
//			email_domains <domain>... | *
//			email_verified assume
//			namespace <name>
//			organization <text with {claims.path}>
//			create members|organizations... [<n>/h]
//			factor <type> {
//				second_only
//				valid_for <duration>
//			}
//			session_key <claim>...
//			session {
//				duration <duration>
//				idle <duration>
//			}
//		}
//	}
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	r := newReader(d, nil, "attest")
	if r.NextArg() {
		return r.Errf("the global attest option takes only a block")
	}
	if err := globalBlock.read(r, a); err != nil {
		return err
	}
	if p := firstProblem(false, func(c *checker) { c.app(a) }); p != nil {
		return r.locate(p)
	}
	return nil
}

var globalBlock = grammar[App]{name: "global attest", words: []word[App]{
	{
		name: "shared_upstream", args: "<address>...",
		help: "upstreams that are reached with and without attest on purpose",
		read: func(r *reader, a *App) error { return r.texts(&a.SharedUpstreams) },
	},
	{
		name: "issuer", args: "<url>",
		help: "iss of the gateway's JWTs, no trailing slash",
		read: func(r *reader, a *App) error { return r.text(&a.Issuer) },
	},
	{
		name: "secret", args: "<value>...",
		help: "seals what the store keeps, 32 bytes or more; the first seals, all open",
		read: func(r *reader, a *App) error { return r.texts(&a.Secrets) },
	},
	{
		name: "project", args: "<project_id>", block: projectBlock,
		help: "who may call attest_api",
		read: readProject,
	},
	{
		name: "compat", args: "stytch", block: compatBlock,
		help: "speak Stytch's dialect",
		read: readCompat,
	},
	{
		name: "store", args: "memory | bolt [<path>] | redis <url|address>...", block: redisBlock,
		help: "where records are kept; default bolt. The block is redis'",
		read: readStore,
	},
	{
		name: "local_cache", args: "<entries> <max_age> | off",
		help: "what this process remembers of the store; default 10000 5s",
		read: readLocalCache,
	},
	{
		name: "on_store_outage", args: "deny | serve_cached <duration>",
		help: "what happens to sessions meanwhile; default deny",
		read: readStoreOutage,
	},
	{
		name: "keys", block: keysBlock,
		help: "the gateway's signing keys",
		read: readKeys,
	},
	{
		name: "session", block: sessionBlock,
		help: "how long sessions and their JWTs live",
		read: readSession,
	},
	{
		name: "template", args: "<name> <heredoc> | <name> file <path>",
		help: "claims of the gateway's JWTs; 'default' applies where a route names none",
		read: readTemplate,
	},
	{
		name: "role", args: "<id>", block: roleBlock,
		help: "what a role permits",
		read: func(r *reader, a *App) error { return named(r, &a.Roles, roleBlock) },
	},
	{
		name: "resource", args: "<id> <action>...",
		help: "what permissions are about",
		read: readResource,
	},
	{
		name: "organization", args: "<id>", block: organizationBlock,
		help: "an organization that exists by configuration",
		read: func(r *reader, a *App) error { return named(r, &a.Organizations, organizationBlock) },
	},
	{
		name: "profile", args: "<name>", block: profileBlock,
		help: "an issuer that is trusted",
		read: func(r *reader, a *App) error { return named(r, &a.Profiles, profileBlock) },
	},
}}

var _ caddyfile.Unmarshaler = (*App)(nil)
