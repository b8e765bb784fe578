package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

type attestBody struct {
	ProfileID      string `json:"profile_id"`
	TokenProfileID string `json:"token_profile_id"` // the spelling of Stytch's launch post
	Token          string `json:"token"`
	OrganizationID string `json:"organization_id"`
	TelemetryID    string `json:"telemetry_id"` // accepted and not used
	sessionArguments
	sessionChanges
}

func (b attestBody) profile() string {
	if b.ProfileID == "" {
		return b.TokenProfileID
	}
	return b.ProfileID
}

// attest: POST /v1/b2b/sessions/attest. A trusted token becomes a session, or a
// further factor of the one named.
func (a *API) attest(ctx context.Context, r *http.Request) (any, error) {
	var in attestBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	s, err := a.attested(ctx, r, in)
	if err != nil {
		return nil, err
	}
	return a.answerSession(s), nil
}

// attested is attest in either dialect.
func (a *API) attested(ctx context.Context, r *http.Request, in attestBody) (said, error) {
	identity, err := a.verify(r, in)
	if err != nil {
		return said{}, err
	}
	var sub subject
	if in.none() {
		sub, err = a.begin(ctx, in, identity)
	} else {
		sub, err = a.attach(ctx, in, identity)
	}
	if err != nil {
		return said{}, err
	}
	return a.gateway.tell(sub)
}

var errMissingArgument = errors.New("profile_id and token are required")

// checkAttest looks at everything that can be judged from the body alone, before
// a key is fetched or a record read.
func (a *API) checkAttest(in attestBody) error {
	if in.profile() == "" || in.Token == "" || (in.ProfileID != "" && in.TokenProfileID != "" && in.ProfileID != in.TokenProfileID) {
		return refuse("invalid_argument", errMissingArgument)
	}
	if err := in.sessionArguments.check(); err != nil {
		return err
	}
	if _, err := in.duration(); err != nil {
		return err
	}
	patch, err := in.patch()
	if err != nil {
		return err
	}
	return patch.Check()
}

// verify reads the token, after all that can be judged from the body alone.
func (a *API) verify(r *http.Request, in attestBody) (*trust.Identity, error) {
	if err := a.checkAttest(in); err != nil {
		return nil, err
	}
	p, ok := a.gateway.Profiles.Profile(in.profile())
	if !ok {
		return nil, refuse("trusted_token_profile_not_found", nil)
	}
	if p.Config().Dev && !bothEndsLoopback(r) {
		return nil, refuse("trusted_token_profile_not_found", errDevAway)
	}
	return p.Verify(r.Context(), in.Token)
}

// begin starts a session of its own, also for a token used before.
func (a *API) begin(ctx context.Context, in attestBody, id *trust.Identity) (subject, error) {
	g := a.gateway
	if id.Factor.SecondOnly {
		return subject{}, refuse("insufficient_factors_for_session_exchange", errSecondOnly)
	}
	d, patch, err := a.beginning(in.sessionChanges)
	if err != nil {
		return subject{}, err
	}
	factor := factorOf(id)
	org, member, err := g.resolve(ctx, id, in.OrganizationID, func(o directory.Organization, m directory.Member) error {
		return g.sayable(o, m, []session.Factor{factor}, patch)
	})
	if err != nil {
		return subject{}, err
	}
	s, err := g.Sessions.Start(ctx, session.Start{
		OrganizationID: org.ID, MemberID: member.ID, Duration: d, Idle: g.Idle, Factor: factor, Overlay: patch,
	})
	if err != nil {
		return subject{}, err
	}
	return g.begun(ctx, s, id.Profile, id.IssuedAt)
}

// beginning is how long a new session is to last, and what its claims start with.
func (a *API) beginning(c sessionChanges) (time.Duration, claims.Overlay, error) {
	d, err := c.duration()
	if err != nil {
		return 0, claims.Overlay{}, err
	}
	d = orDefault(d, a.gateway.SessionDuration)
	if d > a.gateway.Sessions.MaxDuration() {
		return 0, claims.Overlay{}, refuse("invalid_session_duration_minutes", errDuration)
	}
	patch, err := c.patch()
	if err == nil {
		err = patch.Check()
	}
	return d, patch, err
}

var errSecondOnly = errors.New("the profile is a second factor only: it does not start a session")

// sayable tells whether a session of that member with that overlay could be
// minted at all.
func (g *Gateway) sayable(o directory.Organization, m directory.Member, factors []session.Factor, overlay claims.Overlay) error {
	_, _, err := g.say(subject{session: session.Session{Overlay: overlay}, member: m, org: o, counting: factors})
	return err
}

// attach adds a factor to a live session: id, token and start stay.
func (a *API) attach(ctx context.Context, in attestBody, id *trust.Identity) (subject, error) {
	g := a.gateway
	sub, err := a.find(ctx, in.sessionArguments)
	if err != nil {
		return subject{}, err
	}
	if sub.session.Implicit {
		return subject{}, refuse("session_not_mutable", errImplicit)
	}
	if _, _, err := g.resolve(ctx, id, in.OrganizationID, func(o directory.Organization, m directory.Member) error {
		return sameMember(sub, o, m)
	}); err != nil {
		return subject{}, err
	}
	sub, err = a.change(ctx, sub, in.sessionChanges, func(s *session.Session) error {
		return s.Attach(factorOf(id), g.now())
	})
	if err != nil {
		return subject{}, err
	}
	return g.begun(ctx, sub.session, id.Profile, id.IssuedAt)
}

var (
	errImplicit    = errors.New("an implicit session takes no factor by the API: it has no token to name it with")
	errOtherMember = errors.New("the token resolves to another member than the session's")
)

func sameMember(sub subject, o directory.Organization, m directory.Member) error {
	if o.ID != sub.org.ID || m.ID != sub.member.ID {
		return refuse("member_session_member_id_mismatch", errOtherMember)
	}
	return nil
}
