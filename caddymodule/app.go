package caddymodule

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App is the gateway: whom it trusts, what it remembers and how it signs. Its
// routes are the handlers attest and attest_api.
//
// Placeholders of the forms {env.NAME} and {file.PATH} are replaced in secrets,
// issuers, audiences, URLs, file names and addresses, once, when the
// configuration is loaded; nowhere else. A value that comes out empty, or a file
// that cannot be read, refuses the configuration.
type App struct {
	// The `iss` of every JWT the gateway signs: an http or https URL without a
	// trailing slash, under which upstreams find the gateway's keys.
	// Default: with `compat`, `stytch.com/` and the project id; else, if every HTTP
	// listener is loopback, `http://` and the first one that has attest_api, or the
	// first; else it must be set.
	Issuer string `json:"issuer,omitempty"`

	// The keys that seal every record before a store sees it, each at least 32
	// bytes of text. The first seals, all of them open: to rotate, put the new one
	// first. What is stored is then sealed anew in the background; drop the old one
	// when the log says that it can be removed. Several gateways need the new one
	// in second place first, or those that do not have it yet cannot open what the
	// others seal.
	// Required with a store that other machines can reach, such as redis.
	// Default: one that is made once and kept in Caddy's storage.
	Secrets []string `json:"secrets,omitempty"`

	// Who may call the session API. Default: nobody; attest_api then serves keys
	// and metadata only.
	Project *Project `json:"project,omitempty"`

	// Speak another product's dialect. Default: the gateway's own.
	Compat *Compat `json:"compat,omitempty"`

	// Where sessions, members and signing keys are kept.
	// Default: `bolt`, one file in Caddy's data directory.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=attest.stores inline_key=backend"`

	// How much of the store is remembered in this process, and for how long.
	LocalCache *LocalCache `json:"local_cache,omitempty"`

	// What happens to sessions while the store cannot be reached.
	// Default: requests that show a credential are answered 503.
	OnStoreOutage *StoreOutage `json:"on_store_outage,omitempty"`

	// The gateway's signing keys.
	Keys *Keys `json:"keys,omitempty"`

	// How long sessions and the JWTs made from them live, and the session cookie.
	Session *Session `json:"session,omitempty"`

	// Claim templates by name. The one named `default` applies where a route
	// names none.
	Templates map[string]*Template `json:"templates,omitempty"`

	// What a role permits, by role id. Roles are opaque to the gateway: one
	// without an entry here is still carried by tokens, it only permits nothing.
	Roles map[string]*Role `json:"roles,omitempty"`

	// What permissions are about, by resource id.
	Resources map[string]*Resource `json:"resources,omitempty"`

	// Organizations that exist by configuration, by organization id: 1 to 128 of
	// A–Z a–z 0–9 . _ -
	Organizations map[string]*Organization `json:"organizations,omitempty"`

	// Trusted issuers, by profile name: a–z 0–9 _ -, beginning with a letter or
	// digit, up to 64 characters; `any` and `off` are reserved.
	Profiles map[string]*Profile `json:"profiles,omitempty"`

	// Files of cases that are run whenever the configuration is loaded or validated: claims
	// of tokens, and what is expected of them (docs/testing.md). One that does not come
	// out as expected refuses the configuration. Placeholders of the forms {env.NAME} and
	// {file.PATH} are replaced. Default: none.
	Tests []string `json:"tests,omitempty"`

	// Upstreams that are reached with and without an attest on purpose, by address.
	// For any other, a way past the attest that protects it elsewhere refuses the
	// configuration. Placeholders of the forms {env.NAME} and {file.PATH} are
	// replaced. Default: none.
	SharedUpstreams []string `json:"shared_upstreams,omitempty"`

	// Where the global attest block of a Caddyfile begins, for errors that are found
	// when the configuration is loaded; the adapter writes it. Default: unknown.
	Source string `json:"source,omitempty"`

	backend StoreBackend
	opening
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "attest",
		New: func() caddy.Module { return new(App) },
	}
}
