package api

import (
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

var (
	errNoBasic           = errors.New("no HTTP Basic credentials")
	errFromBrowser       = errors.New("the call carries an Origin header")
	errTwoAuthorizations = errors.New("two Authorization lines")
)

// authorize checks the credentials of a call. A project's secret has no place in a
// browser, so a call that one made is refused before the secret is looked at.
func (a *API) authorize(r *http.Request, c call) error {
	if c.Scope == authn.Public {
		return nil
	}
	if len(r.Header.Values("Origin")) > 0 {
		return authn.Refuse("browser_call_refused", errFromBrowser)
	}
	if len(r.Header.Values("Authorization")) > 1 {
		return authn.Refuse("too_many_credentials", errTwoAuthorizations)
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return authn.Refuse("unauthorized_credentials", errNoBasic)
	}
	if err := a.core.AuthorizeCall(c.Call, id, secret, web.ClientPrefix(r)); err != nil {
		return err
	}
	return refuseMemberAuthorization(r)
}

// refuseMemberAuthorization refuses a call that asks to be made with the rights of a
// member and not with the project's: with the project's rights it could do
// more than its sender wanted.
func refuseMemberAuthorization(r *http.Request) error {
	for _, name := range []string{"X-Stytch-Member-Session", "X-Stytch-Member-SessionJWT"} {
		if r.Header.Get(name) != "" {
			return authn.RefuseFor("invalid_argument", "member_authorization_not_served")
		}
	}
	return nil
}
