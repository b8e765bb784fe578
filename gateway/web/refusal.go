package web

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// Announce writes what the client may know of a refusal into the header of the
// answer: Attest-Error, WWW-Authenticate (RFC 6750 §3), Allow, Retry-After.
func Announce(h http.Header, refused *authn.Refusal, status int, id string) {
	h.Set("Attest-Error", refused.Code+"; id="+id)
	h.Set("Cache-Control", "no-store")
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(refused))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	}
	SetRetryAfter(h, refused, status)
}

func challenge(refused *authn.Refusal) string {
	if step := refused.StepUp; step != nil { // RFC 9470 §3
		text := `Bearer error="` + refused.Code + `"`
		if len(step.Factors) > 0 {
			text += `, acr_values="` + strings.Join(step.Factors, " ") + `"`
		}
		if step.MaxAge > 0 {
			text += fmt.Sprintf(`, max_age="%d"`, int(step.MaxAge.Seconds()))
		}
		return text
	}
	if refused.CredentialShown {
		return `Bearer error="invalid_token"`
	}
	return "Bearer"
}

// defaultRetryAfter is short, in seconds: an outage of the store or of an issuer's
// key server ends for all at once, and clients come back one by one.
const defaultRetryAfter = 2

// SetRetryAfter says when to come back, where the status is one of waiting.
func SetRetryAfter(h http.Header, refused *authn.Refusal, status int) {
	if status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests {
		return
	}
	seconds := int(math.Ceil(refused.RetryAfter().Seconds()))
	h.Set("Retry-After", strconv.Itoa(cmp.Or(seconds, defaultRetryAfter)))
}
