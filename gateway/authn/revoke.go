package authn

import (
	"context"
	"errors"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// A RevokeRequest names what to end: exactly one of a session, by id, token or JWT,
// and a member, whose sessions all end.
type RevokeRequest struct {
	SessionID string
	Session   SessionName
	// MemberID is an id, or within OrganizationID also an external id.
	MemberID, OrganizationID string
}

func (r RevokeRequest) count() int {
	n := 0
	for _, v := range []string{r.SessionID, r.MemberID, r.Session.Token, r.Session.JWT} {
		if v != "" {
			n++
		}
	}
	return n
}

// Revoke answers nil only when the store has confirmed; this node obeys at once
// either way.
func (a *Authenticator) Revoke(ctx context.Context, r RevokeRequest) error {
	switch n := r.count(); {
	case n == 0:
		return Refuse("no_session_revoke_arguments", nil)
	case n > 1:
		return Refuse("too_many_session_revoke_arguments", nil)
	case r.MemberID != "":
		return a.RevokeMember(ctx, r.OrganizationID, r.MemberID)
	}
	id, err := a.sessionToRevoke(ctx, r)
	if err != nil {
		return err
	}
	return a.RevokeSession(ctx, id)
}

func (a *Authenticator) sessionToRevoke(ctx context.Context, r RevokeRequest) (string, error) {
	if r.SessionID == "" {
		live, err := a.named(ctx, r.Session)
		return live.Session.ID, err
	}
	if within := r.Session.Organization; within != "" {
		s, err := a.session(ctx, r.SessionID)
		if err == nil && s.OrganizationID != within {
			err = Refuse("session_not_found", errOtherOrganization)
		}
		return s.ID, err
	}
	return r.SessionID, nil
}

// RevokeSession ends one session now. A dead one is session_not_found.
func (a *Authenticator) RevokeSession(ctx context.Context, id string) error {
	defer a.cache.sessions.drop(id)
	_, err := a.Sessions.Revoke(ctx, id)
	return err
}

// RevokeMember ends every session of a member, and refuses each trusted token of
// theirs that was issued until now.
func (a *Authenticator) RevokeMember(ctx context.Context, organization, member string) error {
	m, err := a.FindMember(ctx, organization, member)
	if err != nil {
		return err
	}
	if err := a.Directory.CutMember(ctx, m.OrganizationID, m.ID, a.Now()); err != nil {
		return err
	}
	a.cache.dropMember(m)
	return a.revokeSessionsOf(ctx, m)
}

// revokeSessionsOf ends the sessions of a member who is no longer to have any.
func (a *Authenticator) revokeSessionsOf(ctx context.Context, m directory.Member) error {
	list, err := a.Sessions.List(ctx, m.OrganizationID, m.ID)
	faults := []error{err}
	for _, s := range list {
		if err := a.RevokeSession(ctx, s.ID); err != nil && !errors.Is(err, session.ErrNotFound) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
