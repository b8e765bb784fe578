package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// statuses are those of a proxied request: a credential that is not good is 401, a
// good one of somebody who has no place here 403.
var statuses = map[authn.Kind]int{
	authn.Internal:          http.StatusInternalServerError,
	authn.Unavailable:       http.StatusServiceUnavailable,
	authn.Malformed:         http.StatusBadRequest,
	authn.Unauthenticated:   http.StatusUnauthorized,
	authn.InvalidCredential: http.StatusUnauthorized,
	authn.UnknownCredential: http.StatusUnauthorized,
	authn.Forbidden:         http.StatusForbidden,
	authn.UnusableIdentity:  http.StatusForbidden,
	authn.UnknownIdentity:   http.StatusForbidden,
	authn.NotFound:          http.StatusNotFound,
	authn.MethodNotAllowed:  http.StatusMethodNotAllowed,
	authn.TooLarge:          http.StatusRequestEntityTooLarge,
	authn.UnsupportedMedia:  http.StatusUnsupportedMediaType,
	authn.TooManyRequests:   http.StatusTooManyRequests,
	authn.ReservedClaims:    http.StatusInternalServerError,
	authn.UnusableClaims:    http.StatusBadGateway,
}

// Status is the HTTP status of a proxied request for a kind of refusal.
func Status(k authn.Kind) int { return statuses[k] }
