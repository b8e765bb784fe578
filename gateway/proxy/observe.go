package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Bounds of what is computed beside requests that only are observed.
const (
	maxObserving   = 64
	observeTimeout = 5 * time.Second
)

// observe computes beside the request what would be decided about it, and reports that.
// The request does not wait for it. Where too many are under way it is left out.
func (p *Proxy) observe(r *http.Request, route *compiledRoute, presented authn.Presented) {
	select {
	case p.observing <- struct{}{}:
	default:
		return
	}
	// The next handler may change the request meanwhile, and what its context holds.
	ctx, cancel := context.WithTimeout(context.Background(), observeTimeout)
	seen, client := r.Clone(ctx), p.report.Client(r)
	go func() {
		defer func() { cancel(); <-p.observing }()
		profile, err := p.core.Observe(ctx, presented, route.core)
		if err != nil {
			refused := authn.RefusalOf(err)
			p.report.Observed(seen, client, refused, Status(refused.Kind), p.NewID())
			return
		}
		p.core.Decide(authn.Decided{Door: web.DoorProxy, Profile: profile, Anonymous: profile == "", Observed: true})
	}()
}
