package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// The directives have a place of their own, so that no `order` line is needed.
// The last one registered stands nearest to basic_auth: attest_api, attest,
// basic_auth, request_header, …, reverse_proxy. attest_api comes first because
// its callers have credentials of another kind.
func init() {
	httpcaddyfile.RegisterHandlerDirective("attest_api", readAPIDirective)
	httpcaddyfile.RegisterDirectiveOrder("attest_api", httpcaddyfile.Before, "basic_auth")
	httpcaddyfile.RegisterHandlerDirective("attest_verify", readVerifyDirective)
	httpcaddyfile.RegisterDirectiveOrder("attest_verify", httpcaddyfile.Before, "respond")
	httpcaddyfile.RegisterHandlerDirective("attest_desk", readDeskDirective)
	httpcaddyfile.RegisterDirectiveOrder("attest_desk", httpcaddyfile.Before, "respond")
	httpcaddyfile.RegisterHandlerDirective("attest", readAttestDirective)
	httpcaddyfile.RegisterDirectiveOrder("attest", httpcaddyfile.Before, "basic_auth")
}

// globalApp is what the global attest blocks said. It is decoded once for all
// directives of an adaptation.
func globalApp(h httpcaddyfile.Helper) (*App, error) {
	const state = "attest"
	if app, ok := h.State[state].(*App); ok {
		return app, nil
	}
	option, ok := h.Option("attest").(httpcaddyfile.App)
	if !ok {
		return nil, h.Errf(noApp)
	}
	app := new(App)
	if err := caddy.StrictUnmarshalJSON(option.Value, app); err != nil {
		return nil, h.WrapErr(err)
	}
	h.State[state] = app
	return app, nil
}

// inNamedRoute tells whether a directive stands in a named route. Caddy before 2.11.9
// cannot say so; there only what such a route leaves uncovered is found, at load.
func inNamedRoute(h httpcaddyfile.Helper) bool {
	asked, ok := any(h).(interface{ IsNamedRoute() bool })
	return ok && asked.IsNamedRoute()
}
