package gateway

import (
	"net/http"

	"go.uber.org/zap"
)

// Await answers for an API whose gateway is not there yet: a call is 503, in the
// shape its SDK reads. It tells whether r is one; anything else is the next
// handler's.
func Await(w http.ResponseWriter, r *http.Request, err error) bool {
	p := normalise(r.URL.EscapedPath())
	if !under(p, "/v1") && !under(p, "/.well-known") {
		return false
	}
	nobody := &API{gateway: &Gateway{log: zap.NewNop()}}
	nobody.answerError(w, r, Unavailable(err))
	return true
}
