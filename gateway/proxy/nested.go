package proxy

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// outerAttestKey is that of the Admission which an attest leaves in the context for one
// nested in it.
type outerAttestKey struct{}

func withOuterAttest(r *http.Request, a *Admission) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), outerAttestKey{}, a))
}

// Admitted tells whether an attest before has admitted the request.
func Admitted(r *http.Request) bool {
	outer, _ := r.Context().Value(outerAttestKey{}).(*Admission)
	return outer != nil
}

// presented reads the credentials of the request, or those that an outer attest
// found in it. What the outer one injected is removed: the upstream hears only the
// innermost.
func (p *Proxy) presented(r *http.Request) authn.Presented {
	outer, _ := r.Context().Value(outerAttestKey{}).(*Admission)
	if outer == nil {
		presented := web.Credentials(r, p.cookie, p.places)
		presented.Client = p.report.Client(r)
		presented.Loopback = p.dev && web.BothEndsLoopback(r)
		return presented
	}
	for _, name := range outer.headers {
		r.Header.Del(name)
	}
	return outer.presented
}
