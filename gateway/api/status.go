package api

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// statuses are those of the session API: Stytch answers 400 for a token or an
// identity that cannot be used, and 404 for what is not there.
var statuses = map[authn.Kind]int{
	authn.Internal:          http.StatusInternalServerError,
	authn.Unavailable:       http.StatusServiceUnavailable,
	authn.Malformed:         http.StatusBadRequest,
	authn.Unauthenticated:   http.StatusUnauthorized,
	authn.InvalidCredential: http.StatusBadRequest,
	authn.UnknownCredential: http.StatusNotFound,
	authn.Forbidden:         http.StatusForbidden,
	authn.UnusableIdentity:  http.StatusBadRequest,
	authn.UnknownIdentity:   http.StatusNotFound,
	authn.NotFound:          http.StatusNotFound,
	authn.MethodNotAllowed:  http.StatusMethodNotAllowed,
	authn.TooLarge:          http.StatusRequestEntityTooLarge,
	authn.UnsupportedMedia:  http.StatusUnsupportedMediaType,
	authn.TooManyRequests:   http.StatusTooManyRequests,
	authn.ReservedClaims:    http.StatusBadRequest,
	authn.UnusableClaims:    http.StatusBadRequest,
}

// Status is the HTTP status of the session API for a kind of refusal.
func Status(k authn.Kind) int { return statuses[k] }
