package authn

import (
	"context"
	"errors"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// An AttestRequest asks to turn a trusted token into a session, or into a further
// factor of the session that is named.
type AttestRequest struct {
	// Profile is the name of the one the token is of.
	Profile string
	Token   string
	// Organization is the one the caller names, by id, external id or slug, if any.
	Organization string
	Session      SessionName
	Change       SessionChange
	// Caller tells callers apart, where a profile takes each token id once.
	Caller [32]byte
	// Loopback is Presented.Loopback of the call.
	Loopback bool
}

// Attest turns a trusted token into a session of its own, also for a token used
// before, or attaches it to the session named.
func (a *Authenticator) Attest(ctx context.Context, r AttestRequest) (IssuedSession, error) {
	id, err := a.verify(ctx, r)
	if err != nil {
		return IssuedSession{}, err
	}
	live, err := a.attest(ctx, r, id)
	if err != nil {
		return IssuedSession{}, err
	}
	return a.issue(live)
}

func (a *Authenticator) attest(ctx context.Context, r AttestRequest, id *trust.Identity) (LiveSession, error) {
	if r.Session.Empty() {
		return a.attestNew(ctx, r, id)
	}
	return a.attach(ctx, r, id)
}

// Identify answers the member that a trusted token names, and makes no session.
func (a *Authenticator) Identify(ctx context.Context, r AttestRequest) (directory.Member, error) {
	id, err := a.verify(ctx, r)
	if err != nil {
		return directory.Member{}, err
	}
	_, m, err := a.resolve(ctx, id, r.Organization, nil)
	return m, err
}

// verify reads the token, after all that can be judged without a key or a record.
func (a *Authenticator) verify(ctx context.Context, r AttestRequest) (*trust.Identity, error) {
	if err := r.Session.Check(); err != nil {
		return nil, err
	}
	if err := r.Change.Claims.Check(); err != nil {
		return nil, err
	}
	p, ok := a.Profiles.Profile(r.Profile)
	if !ok {
		return nil, Refuse("trusted_token_profile_not_found", nil)
	}
	if p.Config().Dev && !r.Loopback {
		return nil, Refuse("trusted_token_profile_not_found", errDevProfile)
	}
	if LooksLikeSessionToken(r.Token) { // which no issuer is to be asked about
		return nil, Refuse("invalid_trusted_auth_token", errOwnToken)
	}
	id, err := p.Verify(ctx, r.Token)
	if err != nil {
		refused := *RefusalOf(err)
		refused.token = r.Token
		return nil, &refused
	}
	return id, a.onTrial(ctx, "api", id)
}

var errSecondOnly = errors.New("the profile is a second factor only: it does not start a session")

func (a *Authenticator) attestNew(ctx context.Context, r AttestRequest, id *trust.Identity) (LiveSession, error) {
	if id.Factor.SecondOnly {
		return LiveSession{}, Refuse("insufficient_factors_for_session_exchange", errSecondOnly)
	}
	if err := a.signInsOpen(ctx, id.Profile); err != nil {
		return LiveSession{}, err
	}
	change, err := a.forStart(r.Change)
	if err != nil {
		return LiveSession{}, err
	}
	factor := factorOf(id)
	org, member, err := a.resolve(ctx, id, r.Organization, func(o directory.Organization, m directory.Member) error {
		return a.checkNewSession(o, m, []session.Factor{factor}, change.Claims)
	})
	if err != nil {
		return LiveSession{}, err
	}
	return a.useOnce(ctx, r, id, func(ctx context.Context) (LiveSession, error) {
		return a.startSession(ctx, org, member, session.Start{Duration: change.Duration, Factor: factor, Overlay: change.Claims})
	})
}

// attach adds a factor to the session named: id, token and start stay.
func (a *Authenticator) attach(ctx context.Context, r AttestRequest, id *trust.Identity) (LiveSession, error) {
	if err := a.signInsOpen(ctx, id.Profile); err != nil {
		return LiveSession{}, err
	}
	live, err := a.named(ctx, r.Session)
	if err != nil {
		return LiveSession{}, err
	}
	return a.attachTo(ctx, live, attachment{id: id, organization: r.Organization, change: r.Change, once: func(ctx context.Context, do func(context.Context) (LiveSession, error)) (LiveSession, error) {
		return a.useOnce(ctx, r, id, do)
	}})
}

var (
	errImplicit    = errors.New("an implicit session has no token: it belongs to the trusted token that it is of")
	errOtherMember = errors.New("the token resolves to another member than the session's")
)

func sameMember(live LiveSession, o directory.Organization, m directory.Member) error {
	if o.ID != live.Organization.ID || m.ID != live.Member.ID {
		return Refuse("member_session_member_id_mismatch", errOtherMember)
	}
	return nil
}
