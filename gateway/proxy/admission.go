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

	headers   []string   // that were injected
	setCookie []string   // Set-Cookie lines for the answer
	marks     cacheMarks // of the answer
	join      func(end func()) *authn.Stream
	cookie    web.Cookie
}

// Forward lets next answer the admitted request, and completes its answer: the
// session cookie where it is due, none of that name which the upstream makes up,
// and what keeps shared caches from showing it to others. If next fails, the
// injected JWT is taken out of the request again: what runs after an error is not
// the upstream that it was minted for.
func (a *Admission) Forward(w http.ResponseWriter, next func(http.ResponseWriter, *http.Request) error) error {
	answer := &responseWriter{ResponseWriter: w, request: a.Request, cookie: a.cookie, set: a.setCookie, marks: a.marks, join: a.join}
	defer answer.leave()
	if a.Session.Idle > 0 && a.Request.Body != nil && a.Request.Body != http.NoBody {
		a.Request.Body = activeBody{a.Request.Body, answer}
	}
	if err := next(answer, a.Request); err != nil {
		a.withdraw()
		a.marks.apply(w.Header())
		return err
	}
	answer.begin() // next may have written nothing
	return nil
}

func (a *Admission) withdraw() {
	for _, name := range a.headers {
		a.Request.Header.Del(name)
	}
}
