package authn

import (
	"cmp"
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

// Revoke answers nil only when the store has confirmed; on this node the
// revocation takes effect at once either way.
func (a *Authenticator) Revoke(ctx context.Context, r RevokeRequest) error {
	switch n := r.count(); {
	case n == 0:
		return Refuse("no_session_revoke_arguments", nil)
	case n > 1:
		return Refuse("too_many_session_revoke_arguments", nil)
	case r.MemberID != "":
		return a.RevokeMember(ctx, r.OrganizationID, r.MemberID)
	}
	id, token, err := a.sessionToRevoke(ctx, r)
	if err != nil {
		return err
	}
	defer a.cache.sessions.drop(id)
	s, err := a.Sessions.RevokeIf(ctx, id, func(s session.Session) error {
		switch {
		case r.Session.Organization != "" && s.OrganizationID != r.Session.Organization:
			return Refuse("session_not_found", errOtherOrganization)
		case token != nil && !s.Holds(*token, a.Now()):
			return Refuse("session_not_found", errWrongSecret)
		}
		return nil
	})
	a.tellRevoked(ctx, id, s, err)
	return err
}

// tellRevoked tells of the end of a session, also where the store has not confirmed it.
func (a *Authenticator) tellRevoked(ctx context.Context, id string, s session.Session, err error) {
	if err != nil && !IsFault(err) {
		return
	}
	a.Tell(ctx, Event{
		Action: SessionRevoked, OrganizationID: s.OrganizationID, MemberID: s.MemberID, SessionID: id, Implicit: s.Implicit, Failed: err != nil,
	})
}

// sessionToRevoke answers the id that the request names, and the token where that
// is what names it. Nothing is read: the revocation is noted before, so that an
// outage does not undo it.
func (a *Authenticator) sessionToRevoke(ctx context.Context, r RevokeRequest) (string, *session.Token, error) {
	switch {
	case r.SessionID != "":
		return r.SessionID, nil, nil
	case r.Session.JWT != "":
		id, err := a.sessionOfJWT(ctx, r.Session.JWT)
		return id, nil, err
	}
	token, err := session.ParseToken(r.Session.Token)
	if err != nil {
		return "", nil, Refuse("invalid_session_token", err)
	}
	return token.SessionID(), &token, nil
}

// RevokeSession ends one session now. A dead one is session_not_found.
func (a *Authenticator) RevokeSession(ctx context.Context, id string) error {
	defer a.cache.sessions.drop(id)
	s, err := a.Sessions.Revoke(ctx, id)
	a.tellRevoked(ctx, id, s, err)
	return err
}

// RevokeMember ends every session of a member, and refuses each trusted token of
// theirs that was issued until now. It is noted before anything is read: on a fault
// this node accepts no session of the member until the store has taken it.
func (a *Authenticator) RevokeMember(ctx context.Context, organization, member string) error {
	settle := a.Sessions.Revocations().NoteMember(organization, member)
	m, err := a.revokeMember(ctx, session.MemberRevocation{Organization: organization, Member: member, At: a.Now()})
	settle(err == nil || !IsFault(err))
	if err == nil || IsFault(err) {
		a.Tell(ctx, Event{
			Action: MemberRevoked, OrganizationID: cmp.Or(m.OrganizationID, organization), MemberID: cmp.Or(m.ID, member), Failed: err != nil,
		})
	}
	return err
}

// revokeMember answers the member as far as it was found.
func (a *Authenticator) revokeMember(ctx context.Context, r session.MemberRevocation) (directory.Member, error) {
	m, err := a.FindMember(ctx, r.Organization, r.Member)
	if err != nil {
		return m, err
	}
	if err := a.Directory.RevokeMember(ctx, m.OrganizationID, m.ID, r.At); err != nil {
		return m, err
	}
	a.cache.dropMember(m)
	return m, a.revokeSessionsOf(ctx, m)
}

// WritePending writes the revocations that the store has not taken yet. One of a
// member that is not there is withdrawn.
func (a *Authenticator) WritePending(ctx context.Context) error {
	faults := []error{a.Sessions.WritePending(ctx)}
	notes := a.Sessions.Revocations()
	for _, r := range notes.PendingMembers() {
		if _, err := a.revokeMember(ctx, r); err != nil && IsFault(err) {
			faults = append(faults, err)
			continue
		}
		notes.WrittenMember(r)
	}
	return errors.Join(faults...)
}

// revokeSessionsOf ends the sessions of a member who is no longer to have any.
func (a *Authenticator) revokeSessionsOf(ctx context.Context, m directory.Member) error {
	list, unread := a.Sessions.List(ctx, m.OrganizationID, m.ID)
	_, err := a.Sessions.RevokeAll(ctx, list)
	for _, s := range list {
		a.cache.sessions.drop(s.ID)
	}
	return errors.Join(unread, err)
}

// RevokeOrganization ends every session of an organization, and refuses each trusted
// token for it that was issued until now.
func (a *Authenticator) RevokeOrganization(ctx context.Context, name string) (directory.Organization, error) {
	o, err := a.Directory.FindOrganization(ctx, name)
	if err != nil {
		return directory.Organization{}, err
	}
	return a.changedOrganization(ctx, OrganizationRevoked, o, a.Directory.RevokeOrganization(ctx, o.ID, a.Now()))
}
