package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// clean runs first and on every path, also where the request is refused: error
// routes are upstreams too.
func (p *Proxy) clean(r *http.Request, removeAuthorization bool) {
	p.scrub.Scrub(r, removeAuthorization)
	p.cookie.Strip(r.Header)
	web.StripPlaces(r, p.places)
}

// removesAuthorization tells whether Authorization goes: where it carried a
// credential of ours, where the route forwards the JWT in it, where there are two
// lines, and by the [web.AuthorizationRule]. A route that forwards elsewhere may share
// its upstream with one that does not, so the rule is not that of `attest off` alone.
func (p *Proxy) removesAuthorization(r *http.Request, route *compiledRoute, presented authn.Presented) bool {
	values := r.Header["Authorization"]
	switch {
	case len(values) == 0:
		return false
	case len(values) > 1, !route.off && route.core.Takes(presented), route.injectsAuthorization():
		return true
	}
	return !p.authorization.Keeps(values[0])
}
