package admin

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// An Error is what an operator is told. It holds no token and no secret.
type Error struct {
	// Code is one of authn's problems, or of this package: bad_request, read_only,
	// no_such_operation, not_supported, not_found, not_confirmed, confirmation_required.
	Code    string `json:"code"`
	Message string `json:"message"`
	status  int
}

func (e *Error) Error() string { return "admin: " + e.Code + ": " + e.Message }

var (
	errReadOnly    = &Error{"read_only", "only looking is allowed here", http.StatusForbidden}
	errNoExport    = &Error{"not_supported", "this store cannot be exported: take a backup with its own tools", http.StatusNotImplemented}
	errNoOperation = &Error{"no_such_operation", "there is no such operation: see /attest/openapi.json", http.StatusNotFound}
)

func badRequest(message string) error { return &Error{"bad_request", message, http.StatusBadRequest} }

func notFound(message string) error { return &Error{"not_found", message, http.StatusNotFound} }

// statuses are those of refusals of the core; what is not here is a fault.
var statuses = map[authn.Kind]int{
	authn.Unavailable:       http.StatusServiceUnavailable,
	authn.Malformed:         http.StatusBadRequest,
	authn.InvalidCredential: http.StatusBadRequest,
	authn.UnknownCredential: http.StatusNotFound,
	authn.UnusableIdentity:  http.StatusBadRequest,
	authn.UnknownIdentity:   http.StatusNotFound,
	authn.TooManyRequests:   http.StatusTooManyRequests,
	authn.ReservedClaims:    http.StatusBadRequest,
	authn.UnusableClaims:    http.StatusBadRequest,
}

// refuse answers an error. The cause of a fault is in the log only.
func (a *Admin) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *Error
	if !errors.As(err, &known) {
		known = a.refusal(r, err)
	}
	write(w, known.status, known)
}

func (a *Admin) refusal(r *http.Request, err error) *Error {
	refused := authn.RefusalOf(err)
	status, ok := statuses[refused.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	if status >= http.StatusInternalServerError {
		a.log.Error("an operator's call failed", zap.String("path", r.URL.Path), zap.Error(err))
	}
	return &Error{refused.Code, refused.Message, status}
}
