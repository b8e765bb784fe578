package authn

import "context"

// An AuthenticateRequest names a live session, and what to check and change of it.
type AuthenticateRequest struct {
	Session SessionName
	Change  SessionChange
	Check   *AuthorizationCheck
}

// Authenticate finds the session, authorizes, applies the claims, extends, and mints,
// in that order; what is refused changes nothing. The verdict is nil where no check
// was asked for.
func (a *Authenticator) Authenticate(ctx context.Context, r AuthenticateRequest) (IssuedSession, *Verdict, error) {
	if r.Session.Empty() {
		return IssuedSession{}, nil, Refuse("no_session_arguments", nil)
	}
	live, err := a.named(ctx, r.Session)
	if err != nil {
		return IssuedSession{}, nil, err
	}
	verdict, err := a.authorize(live, r.Check)
	if err != nil {
		return IssuedSession{}, nil, err
	}
	live, err = a.change(ctx, live, r.Change, nil)
	if err != nil {
		return IssuedSession{}, nil, err
	}
	issued, err := a.issue(live)
	return issued, verdict, err
}
