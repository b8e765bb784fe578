package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// An Admission is a request that may go on to the upstream, and as whom.
type Admission struct {
	authn.Decision

	// Request goes to the upstream: scrubbed, with the injected header, and with a
	// context that a nested attest understands.
	Request *http.Request

	header    string   // of the injected JWT
	setCookie []string // Set-Cookie lines for the answer
	cookie    web.Cookie
}

// Withdraw takes the injected JWT back out of the request: what runs after an
// error, an error page of another server perhaps, is not the upstream it was
// minted for.
func (a *Admission) Withdraw() {
	if a.header != "" {
		a.Request.Header.Del(a.header)
	}
}

// Writer wraps w so that the answer carries the session cookie where it is due,
// and none of that name which the upstream makes up.
func (a *Admission) Writer(w http.ResponseWriter) http.ResponseWriter {
	return &responseWriter{ResponseWriter: w, cookie: a.cookie, set: a.setCookie}
}
