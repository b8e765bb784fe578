package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// An Admission is a request that may go on to the upstream, and as whom.
type Admission struct {
	authn.Decision

	// Request goes to the upstream: scrubbed, with the injected header, and with a
	// context that a nested attest understands.
	Request *http.Request

	proxy     *Proxy
	route     *compiledRoute
	presented authn.Presented // by the client: its credentials are no longer in the request
	headers   []string        // that were injected
	setCookie []string        // Set-Cookie lines for the answer
	onward    string          // where the browser is sent, instead of next
	answer    responseWriter  // of Forward
}

// rests tells whether what stays open rests on a session.
func (a *Admission) rests() bool { return a.JWT != "" }

// join has what stays open end with the session.
func (a *Admission) join(end func()) *authn.Stream {
	return a.proxy.core.Join(a.Decision, a.route.core, a.presented, end)
}

// Holds tells whether a condition holds of whom was admitted.
func (a *Admission) Holds(c *authn.CompiledCondition) bool {
	if a.proxy == nil { // nobody was, in the zero Admission
		return (*authn.Authenticator)(nil).Holds(c, nil, authn.Presented{}, authn.Decision{Anonymous: true})
	}
	return a.proxy.core.Holds(c, a.route.core, a.presented, a.Decision)
}

// Forward lets next answer the admitted request, and completes its answer: the
// session cookie where it is due, none of that name which the upstream makes up,
// and what keeps shared caches from showing it to others. If next fails, the
// injected JWT is taken out of the request again: what runs after an error is not
// the upstream that it was minted for. It is called once. A browser that brought a token in
// the address or a form is sent on instead.
func (a *Admission) Forward(w http.ResponseWriter, next func(http.ResponseWriter, *http.Request) error) error {
	if a.onward != "" {
		a.sendOnward(w)
		return nil
	}
	answer := &a.answer
	answer.ResponseWriter, answer.admission = w, a
	defer answer.leave()
	if a.Session.Idle > 0 && a.Request.Body != nil && a.Request.Body != http.NoBody {
		a.Request.Body = activeBody{a.Request.Body, answer}
	}
	if err := next(answer, a.Request); err != nil {
		a.withdraw()
		a.mark(w.Header())
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
