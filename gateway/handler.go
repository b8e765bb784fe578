package gateway

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Handler is [Gateway.Admit] as plain net/http middleware: next sees only
// requests that were admitted, as what they are.
func (g *Gateway) Handler(route *Route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := g.Admit(r, route)
		if err != nil {
			g.refuseHTTP(w, r, err)
			return
		}
		next.ServeHTTP(a.Writer(w), a.Request)
	})
}

func (g *Gateway) refuseHTTP(w http.ResponseWriter, r *http.Request, err error) {
	refused, id := refusal(err), rand.Text()
	refused.Announce(w.Header(), id)
	g.LogRefusal(r, refused, id)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(refused.Proxy)
	_, _ = w.Write([]byte(refused.Message + "\n"))
}

// Announce writes what the client may know of a refusal into the header of the
// answer: Attest-Error, WWW-Authenticate (RFC 6750 §3), Retry-After.
func (r *Refusal) Announce(h http.Header, id string) {
	h.Set("Attest-Error", r.Code+"; id="+id)
	h.Set("Cache-Control", "no-store")
	switch r.Proxy {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", r.challenge())
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter)
	}
	if r.clearCookie != "" {
		h.Add("Set-Cookie", r.clearCookie)
	}
}

// retryAfter is short: an outage of the store or of an issuer's key server is
// over as soon as it is, and clients come back one by one.
const retryAfter = "2"

func (r *Refusal) challenge() string {
	if r.Shown {
		return `Bearer error="invalid_token"`
	}
	return "Bearer"
}

// LogRefusal writes the one line about a refused request: code, precise reason
// and the id that the client was told.
func (g *Gateway) LogRefusal(r *http.Request, refused *Refusal, id string) {
	write := g.log.Info
	if refused.Proxy >= http.StatusInternalServerError && !errors.Is(refused.Err, r.Context().Err()) {
		write = g.log.Error
	}
	write("request refused",
		zap.String("code", refused.Code),
		zap.String("reason", refused.Reason),
		zap.Int("status", refused.Proxy),
		zap.String("id", id),
		zap.Error(refused.Err),
	)
}

// timestamp is how the API and session JWTs write a moment: RFC 3339, UTC, whole
// seconds.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
