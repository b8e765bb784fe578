package api

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Await answers for an API whose gateway is not open yet: a call is 503, in the
// shape its SDK reads. It tells whether r is one, by its path or by the credentials
// of the project; anything else is the next handler's.
func Await(w http.ResponseWriter, r *http.Request, project string, err error) bool {
	p := normalise(r.URL.EscapedPath())
	if !under(p, "/v1") && !under(p, "/.well-known") && !web.IsProjectCall(r, project) {
		return false
	}
	closed := &API{report: web.Reporter{Log: zap.NewNop(), Door: web.DoorAPI}}
	closed.answerError(w, r, authn.Refuse("service_unavailable", err))
	return true
}
