package proxy

import (
	"crypto/rand"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Handler is [Proxy.Admit] as plain net/http middleware: next sees only requests
// that were admitted, as what they are.
func (p *Proxy) Handler(route *Route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.RefuseProjectCall(w, r) {
			return
		}
		if done, err := p.Logout(w, r); done {
			if err != nil {
				p.refuse(w, r, err)
			}
			return
		}
		a, err := p.Admit(r, route)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		_ = a.Forward(w, func(w http.ResponseWriter, r *http.Request) error {
			next.ServeHTTP(w, r)
			return nil
		})
	})
}

// RefuseProjectCall answers a call of the session API that nothing has served; see
// [web.RefuseProjectCall]. Who calls Admit calls it before.
func (p *Proxy) RefuseProjectCall(w http.ResponseWriter, r *http.Request) bool {
	return web.RefuseProjectCall(w, r, p.core.Project.ID, p.report)
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	refused, id := authn.RefusalOf(err), p.NewID()
	status := Status(refused.Kind)
	if refused.Location != "" {
		status = http.StatusFound
	}
	p.Announce(w.Header(), refused, status, id)
	p.Report(r, refused, status, id)
	if p.Redirect(w, r, refused) {
		return
	}
	web.WriteRefusal(w, r, refused, status, id)
}

// NewID makes the id of a refusal. It begins with the name of this gateway, so that an
// operator of a fleet knows which one to ask.
func (p *Proxy) NewID() string { return p.core.Node.ID + rand.Text()[:12] }

// Report tells of a refused request: in the log, to observers, and to whoever asks
// later why.
func (p *Proxy) Report(r *http.Request, refused *authn.Refusal, status int, id string) {
	p.report.Refused(r, refused, status, id)
}
