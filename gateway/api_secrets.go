package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
)

// Project is who may call the session API: one id, and secrets good for all of it
// or for parts (HTTP Basic, RFC 7617).
type Project struct {
	// ID is the user name of the call, and the aud of API JWTs.
	ID string
	// Secrets are the passwords, of at least 32 characters each.
	Secrets []Secret
}

// A Secret opens the parts of the API that Scopes names: "sessions" (sessions,
// what roles allow, whoami) and "directory" (organizations and members). With
// "read" it opens of these, or of everything if "read" stands alone, only the
// calls that change nothing: GET and search. No scope: all of it.
type Secret struct {
	Value  string
	Scopes []string
}

// scope is what a call needs of a secret.
type scope string

const (
	public    scope = "" // no credentials
	sessions  scope = "sessions"
	directing scope = "directory"

	// readOnly narrows a secret, whatever parts of the API it names.
	readOnly = "read"
)

// secrets are the project's, digested: comparing digests in constant time tells
// nothing of the length either.
type secrets struct {
	project [sha256.Size]byte
	list    []digested
	none    bool
}

type digested struct {
	digest [sha256.Size]byte
	scopes []string
}

func newSecrets(p Project) secrets {
	s := secrets{project: sha256.Sum256([]byte(p.ID)), none: p.ID == ""}
	for _, x := range p.Secrets {
		s.list = append(s.list, digested{sha256.Sum256([]byte(x.Value)), x.Scopes})
	}
	return s
}

var (
	errNoBasic     = errors.New("no HTTP Basic credentials")
	errWrongBasic  = errors.New("the project id or the secret is wrong")
	errFromBrowser = errors.New("the call carries an Origin header")
)

// allow checks the credentials of a call. A project's secret has no place in a
// browser, so a call that one made is refused before the secret is looked at.
func (a *API) allow(r *http.Request, c call) error {
	if c.scope == public {
		return nil
	}
	if len(r.Header.Values("Origin")) > 0 {
		return refuse("browser_call_refused", errFromBrowser)
	}
	if len(r.Header.Values("Authorization")) > 1 {
		return refuse("too_many_credentials", errTwoAuthorizations)
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return refuse("unauthorized_credentials", errNoBasic)
	}
	g := a.gateway
	found, scopes := g.secrets.find(id, secret)
	switch {
	case !found && !g.failures.allow(clientOf(r)):
		return refuse("too_many_requests", errWrongBasic)
	case !found:
		return refuse("unauthorized_credentials", errWrongBasic)
	case !grants(scopes, c):
		return refuse("scope_not_granted", nil)
	}
	return asMember(r)
}

// grants tells whether a secret of those scopes is good for a call.
func grants(scopes []string, c call) bool {
	parts := len(scopes)
	if slices.Contains(scopes, readOnly) {
		if !c.reads {
			return false
		}
		parts--
	}
	return parts == 0 || slices.Contains(scopes, string(c.scope))
}

// asMember refuses a call that asks to be made with the rights of a member and
// not with the project's: obeyed without that it could do more than its sender
// meant.
func asMember(r *http.Request) error {
	for _, name := range []string{"X-Stytch-Member-Session", "X-Stytch-Member-SessionJWT"} {
		if r.Header.Get(name) != "" {
			return because("invalid_argument", "member_authorization_not_served")
		}
	}
	return nil
}

// find compares with every secret, also after one fits, so that the time taken
// tells nothing.
func (s secrets) find(id, secret string) (found bool, scopes []string) {
	project, digest := sha256.Sum256([]byte(id)), sha256.Sum256([]byte(secret))
	for _, x := range s.list {
		if subtle.ConstantTimeCompare(digest[:], x.digest[:]) == 1 {
			found, scopes = true, x.scopes
		}
	}
	return found && !s.none && subtle.ConstantTimeCompare(project[:], s.project[:]) == 1, scopes
}
