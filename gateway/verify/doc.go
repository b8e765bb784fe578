// Package verify is the door for other proxies: it makes of the question that one of them
// asks (nginx auth_request, forward auth of Caddy and Traefik, HAProxy, Envoy's ext_authz
// over HTTP) the request that is asked about, for the same decision as in place, and tells
// the decision as that proxy takes it.
package verify
