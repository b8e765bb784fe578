package gateway

import (
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// An Admission is a request that may go on to the upstream, and as whom.
type Admission struct {
	// Request goes to the upstream: scrubbed, with the injected header, and with a
	// context that a nested attest understands.
	Request *http.Request

	// Anonymous tells that nobody was admitted: the route is off, or it is optional
	// and no credential was shown. All that follows is then zero.
	Anonymous bool

	Session      session.Session
	Member       directory.Member
	Organization directory.Organization

	// Profile is the one whose factor opened the route, the newest if several did.
	Profile string
	// Roles are those that hold now, sorted.
	Roles []string
	// Claims are the effective claims of the injected JWT.
	Claims map[string]any
	// ExpiresAt is the end of the injected JWT.
	ExpiresAt time.Time

	header    string   // of the injected JWT
	setCookie []string // Set-Cookie lines for the answer
	gateway   *Gateway
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
	return &responseWriter{ResponseWriter: w, cookie: a.gateway.cookie, set: a.setCookie}
}
