package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/attestgate/caddy-attest/session"
)

// shown is what a request shows of the credentials the gateway knows, before
// anything of it is believed.
type shown struct {
	bearer string // of an Authorization: Bearer with the shape of a token of ours or of a JWT
	cookie string // the value of the session cookie
	err    error  // it shows too many
}

func (s shown) any() bool { return s.bearer != "" || s.cookie != "" || s.err != nil }

var errTwoAuthorizations = errors.New("two Authorization lines")

// look finds the credentials of r (house rules, RFC 6750 §2.1). An Authorization
// of another scheme, or a Bearer of another shape, is the upstream's business.
func (g *Gateway) look(r *http.Request) shown {
	lines := r.Header["Authorization"]
	if len(lines) > 1 {
		return shown{err: errTwoAuthorizations}
	}
	var s shown
	if len(lines) == 1 {
		s.bearer = bearer(lines[0])
	}
	s.cookie, s.err = g.cookie.read(r)
	return s
}

// bearer answers the token of an Authorization value where it is one for us.
func bearer(value string) string {
	scheme, token := splitScheme(value)
	if scheme == "bearer" && (session.LooksLikeToken(token) || looksLikeJWT(token)) {
		return token
	}
	return ""
}

// looksLikeJWT tells a compact JWS, or anything else that begins like one, from
// an opaque token of the upstream's. A JWE is meant too: it is refused later,
// and must not pass as "no credential".
func looksLikeJWT(token string) bool {
	return strings.Count(token, ".") == 2 || strings.HasPrefix(token, "eyJ")
}

// A visit is what an attest leaves in the context for one nested in it: the
// credentials that the client showed, which are no longer in the request, and
// the header that was injected.
type visit struct {
	shown  shown
	header string
}

type visitKey struct{}

func withVisit(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

// credentialsOf looks at the request, or at what an outer attest found in it.
// The innermost attest decides; what the outer one injected goes first.
func (g *Gateway) credentialsOf(r *http.Request) shown {
	outer := visitOf(r)
	if outer == nil {
		return g.look(r)
	}
	if outer.header != "" {
		r.Header.Del(outer.header)
	}
	return outer.shown
}
