package authn

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
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

// A Scope is a part of the session API that a secret may be good for.
type Scope string

// The scopes. A call of scope Public needs no secret.
const (
	Public         Scope = ""
	ScopeSessions  Scope = "sessions"
	ScopeDirectory Scope = "directory"

	// readOnly narrows a secret, whatever parts of the API it names.
	readOnly = "read"
)

// A Call is what a caller wants of the session API.
type Call struct {
	Scope Scope
	// Reads tells that the call changes nothing, so that a secret for reading is good
	// for it.
	Reads bool
}

var errWrongSecretOfProject = errors.New("the project id or the secret is wrong")

// AuthorizeCall decides whether the HTTP Basic credentials are good for a call.
// client is the address of the caller: who often shows wrong secrets is held up,
// who has a good one never.
func (a *Authenticator) AuthorizeCall(c Call, id, secret, client string) error {
	found, scopes := a.secrets.find(id, secret)
	switch {
	case !found && !a.failures.allow(client):
		return Refuse("too_many_requests", errWrongSecretOfProject)
	case !found:
		return Refuse("unauthorized_credentials", errWrongSecretOfProject)
	case !grants(scopes, c):
		return Refuse("scope_not_granted", nil)
	}
	return nil
}

// grants tells whether a secret of those scopes is good for a call.
func grants(scopes []string, c Call) bool {
	parts := len(scopes)
	if slices.Contains(scopes, readOnly) {
		if !c.Reads {
			return false
		}
		parts--
	}
	return parts == 0 || slices.Contains(scopes, string(c.Scope))
}

// secrets are the project's, as digests: comparing digests in constant time shows
// nothing of the length either.
type secrets struct {
	project [sha256.Size]byte
	list    []secretDigest
	none    bool
}

type secretDigest struct {
	digest [sha256.Size]byte
	scopes []string
}

func newSecrets(p Project) secrets {
	s := secrets{project: sha256.Sum256([]byte(p.ID)), none: p.ID == ""}
	for _, x := range p.Secrets {
		s.list = append(s.list, secretDigest{sha256.Sum256([]byte(x.Value)), x.Scopes})
	}
	return s
}

// find compares with every secret, also after one fits, so that the time taken
// shows nothing.
func (s secrets) find(id, secret string) (found bool, scopes []string) {
	project, digest := sha256.Sum256([]byte(id)), sha256.Sum256([]byte(secret))
	for _, x := range s.list {
		if subtle.ConstantTimeCompare(digest[:], x.digest[:]) == 1 {
			found, scopes = true, x.scopes
		}
	}
	return found && !s.none && subtle.ConstantTimeCompare(project[:], s.project[:]) == 1, scopes
}
