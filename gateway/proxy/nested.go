package proxy

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// An outerAttest is what an attest leaves in the context for one nested in it: the
// credentials that the client presented, which are no longer in the request, and
// the headers that were injected.
type outerAttest struct {
	presented authn.Presented
	headers   []string
}

type outerAttestKey struct{}

func withOuterAttest(r *http.Request, o *outerAttest) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), outerAttestKey{}, o))
}

// presented reads the credentials of the request, or those that an outer attest
// found in it. What the outer one injected is removed: the upstream hears only the
// innermost.
func (p *Proxy) presented(r *http.Request) authn.Presented {
	outer, _ := r.Context().Value(outerAttestKey{}).(*outerAttest)
	if outer == nil {
		presented := web.Credentials(r, p.cookie, p.places)
		presented.Client = p.report.Client(r)
		return presented
	}
	for _, name := range outer.headers {
		r.Header.Del(name)
	}
	return outer.presented
}
