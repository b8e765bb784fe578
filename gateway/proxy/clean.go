package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// clean runs first and on every path, also where the request is refused: error
// routes are upstreams too.
func (p *Proxy) clean(r *http.Request, removeAuthorization bool) {
	p.scrub.Scrub(r, removeAuthorization)
	p.cookie.Strip(r.Header)
}

// removesAuthorization tells whether Authorization goes: where it carried a
// credential of ours, where the route forwards the JWT in it, where there are two
// lines, and on `attest off` by the [web.AuthorizationRule].
func (p *Proxy) removesAuthorization(r *http.Request, route *compiledRoute, presented authn.Presented) bool {
	values := r.Header["Authorization"]
	if route.off {
		return len(values) > 1 || len(values) == 1 && !p.authorization.Keeps(values[0])
	}
	return len(values) > 1 || presented.Bearer != "" || route.injectsAuthorization()
}
