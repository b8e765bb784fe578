package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

func (a *API) sessionEndpoints(all map[string]byMethod) {
	const base = "/v1/b2b/sessions"
	all[base] = byMethod{http.MethodGet: reading(sessions, a.list)}
	all[base+"/attest"] = byMethod{http.MethodPost: changing(sessions, a.attest)}
	all[base+"/authenticate"] = byMethod{http.MethodPost: changing(sessions, a.authenticate)}
	all[base+"/exchange"] = byMethod{http.MethodPost: changing(sessions, a.exchange)}
	all[base+"/revoke"] = byMethod{http.MethodPost: changing(sessions, a.revoke)}
}

// sessionArguments name a session in the body of a call. Exactly one of them, or
// for attest at most one.
type sessionArguments struct {
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`

	// within is the id of the organization whose sessions may be named; empty: any.
	within string
}

func (s sessionArguments) none() bool { return s.SessionToken == "" && s.SessionJWT == "" }

func (s sessionArguments) check() error {
	if s.SessionToken != "" && s.SessionJWT != "" {
		return refuse("too_many_session_arguments", nil)
	}
	return nil
}

// sessionChanges are what attest and authenticate may change of a session.
type sessionChanges struct {
	DurationMinutes *int64         `json:"session_duration_minutes"`
	CustomClaims    *claims.Object `json:"session_custom_claims"`
}

// The range of session_duration_minutes: 5 minutes to 366 days.
const (
	minMinutes = 5
	maxMinutes = 527040
)

var errDuration = errors.New("session_duration_minutes is outside 5 to 527040, or above max_duration")

// duration answers the duration asked for, or zero where none is.
func (c sessionChanges) duration() (time.Duration, error) {
	if c.DurationMinutes == nil {
		return 0, nil
	}
	if m := *c.DurationMinutes; m < minMinutes || m > maxMinutes {
		return 0, refuse("invalid_session_duration_minutes", errDuration)
	}
	return time.Duration(*c.DurationMinutes) * time.Minute, nil
}

func (c sessionChanges) patch() (claims.Overlay, error) {
	if c.CustomClaims == nil {
		return claims.Overlay{}, nil
	}
	return claims.Patch(*c.CustomClaims)
}

// find answers the live session that the arguments name. A session JWT is good
// here also past its exp: the caller has shown the project's secret, and the
// session is looked up anyway.
func (a *API) find(ctx context.Context, s sessionArguments) (subject, error) {
	g := a.gateway
	if err := s.check(); err != nil {
		return subject{}, err
	}
	var sub subject
	var err error
	if s.SessionToken != "" {
		if _, err := session.ParseToken(s.SessionToken); err != nil {
			return subject{}, refuse("invalid_session_token", err)
		}
		sub, err = g.byToken(ctx, s.SessionToken)
	} else {
		sub, err = g.byJWT(ctx, s.SessionJWT)
	}
	switch {
	case err != nil:
		return subject{}, err
	case !g.standing(sub):
		return subject{}, refuse("session_not_found", errNotStanding)
	case s.within != "" && s.within != sub.org.ID:
		return subject{}, refuse("session_not_found", errElsewhere)
	}
	return sub, nil
}

func (g *Gateway) byJWT(ctx context.Context, text string) (subject, error) {
	id, err := g.Minter.Verify(ctx, text, mint.VerifyOptions{AllowExpired: true})
	if err != nil {
		return subject{}, refusalOfJWT(err, "unable_to_parse_session_jwt")
	}
	return g.subject(ctx, id)
}

var errElsewhere = errors.New("the session is of an organization that this endpoint does not serve")

var errNotStanding = errors.New("no first factor of the session counts any more")

// standing tells whether a session still rests on a first factor that counts.
func (g *Gateway) standing(sub subject) bool {
	_, ok := g.opens(&route{profiles: g.Profiles.Names()}, sub.counting)
	return ok
}

// sessionAnswer is the body that attest and authenticate share.
type sessionAnswer struct {
	StatusCode    int              `json:"status_code"`
	RequestID     string           `json:"request_id"`
	MemberID      string           `json:"member_id"`
	SessionToken  string           `json:"session_token"`
	SessionJWT    string           `json:"session_jwt"`
	MemberSession wireSession      `json:"member_session"`
	Member        wireMember       `json:"member"`
	Organization  wireOrganization `json:"organization"`
	Verdict       *verdict         `json:"verdict,omitempty"`
}

func (a *API) answerSession(s said) sessionAnswer {
	return sessionAnswer{
		StatusCode: http.StatusOK, RequestID: requestID(), MemberID: s.member.ID,
		SessionToken: s.token, SessionJWT: s.jwt,
		MemberSession: wireSessionOf(s.subject, s.roles, s.claims),
		Member:        a.wireMember(s.member), Organization: wireOrganizationOf(s.org),
	}
}

// said is a subject with all that an answer tells of it.
type said struct {
	subject
	roles      []string
	claims     claims.Object
	token, jwt string
}

// tell mints an API JWT. The authenticate API always mints: its callers want the
// claims as they are now.
func (g *Gateway) tell(sub subject) (said, error) {
	roles, effective, err := g.say(sub)
	if err != nil {
		return said{}, err
	}
	say := request(sub, roles, effective, nil, g.JWTLifetime)
	say.API = true
	jwt, err := g.Minter.Mint(say)
	if err != nil {
		return said{}, err
	}
	token, _ := g.Sessions.Token(sub.session)
	return said{sub, roles, effective, token.Reveal(), jwt.Text}, nil
}

// say computes the roles and the effective claims of a subject under the default
// template, or why they cannot be said.
func (g *Gateway) say(sub subject) ([]string, claims.Object, error) {
	roles := g.roles(sub)
	effective, err := claims.Effective(g.Templates["default"], g.variables(sub, roles), sub.session.Overlay)
	return roles, effective, err
}

type authenticateBody struct {
	sessionArguments
	sessionChanges
	AuthorizationCheck *authorizationCheck `json:"authorization_check"`
}

// authenticate: POST /v1/b2b/sessions/authenticate.
func (a *API) authenticate(ctx context.Context, r *http.Request) (any, error) {
	var in authenticateBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	s, v, err := a.proceed(ctx, in)
	if err != nil {
		return nil, err
	}
	answer := a.answerSession(s)
	answer.Verdict = v
	return answer, nil
}

// proceed finds the session, judges, applies the patch, extends, and mints, in
// that order; what is refused changes nothing.
func (a *API) proceed(ctx context.Context, in authenticateBody) (said, *verdict, error) {
	if in.none() {
		return said{}, nil, refuse("no_session_arguments", nil)
	}
	sub, err := a.find(ctx, in.sessionArguments)
	if err != nil {
		return said{}, nil, err
	}
	v, err := a.gateway.judge(sub, in.AuthorizationCheck)
	if err != nil {
		return said{}, nil, err
	}
	sub, err = a.change(ctx, sub, in.sessionChanges, nil)
	if err != nil {
		return said{}, nil, err
	}
	s, err := a.gateway.tell(sub)
	return s, v, err
}

// change applies what a call asks of a live session, all of it or nothing: more,
// the patch of the claims, the duration. The result is checked against the claim
// policy before it is written.
func (a *API) change(ctx context.Context, sub subject, c sessionChanges, more func(*session.Session) error) (subject, error) {
	g := a.gateway
	d, err := c.duration()
	if err != nil {
		return subject{}, err
	}
	patch, err := c.patch()
	if err != nil {
		return subject{}, err
	}
	changed, err := g.Sessions.Change(ctx, sub.session.ID, func(s *session.Session) error {
		return a.apply(ctx, s, sub, patch, d, more)
	})
	g.cache.sessions.drop(sub.session.ID)
	if err != nil {
		return subject{}, err
	}
	return g.complete(ctx, changed, g.now())
}

func (a *API) apply(ctx context.Context, s *session.Session, sub subject, patch claims.Overlay, d time.Duration, more func(*session.Session) error) error {
	g := a.gateway
	now := g.now()
	if err := s.Live(now); err != nil {
		return err
	}
	if more != nil {
		if err := more(s); err != nil {
			return err
		}
	}
	s.Overlay = s.Overlay.Then(patch)
	if err := s.Overlay.Check(); err != nil {
		return err
	}
	s.LastAccessedAt = now
	if d > 0 {
		if err := s.Extend(now, d, g.Sessions.MaxDuration()); err != nil {
			return refuse("invalid_session_duration_minutes", err)
		}
	}
	counting, err := g.counting(ctx, *s, sub.org, now)
	if err != nil {
		return err
	}
	_, _, err = g.say(subject{*s, sub.member, sub.org, counting})
	return err
}
