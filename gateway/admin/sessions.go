package admin

import (
	"strconv"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/session"
)

// A Session is a live session. Its token is never part of it.
type Session struct {
	ID             string `json:"session_id"`
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	Email          string `json:"email_address,omitempty"`
	// Implicit tells that it stands for a trusted token that is shown with each
	// request.
	Implicit       bool          `json:"implicit"`
	StartedAt      time.Time     `json:"started_at"`
	LastAccessedAt time.Time     `json:"last_accessed_at"`
	ExpiresAt      time.Time     `json:"expires_at"`
	Roles          []string      `json:"roles"`
	Factors        []Factor      `json:"factors"`
	Claims         claims.Object `json:"claims"`
}

// A Factor is one proof that a session rests on.
type Factor struct {
	Profile  string     `json:"profile"`
	Type     string     `json:"type"`
	Issuer   string     `json:"issuer"`
	TokenID  string     `json:"token_id"`
	Email    string     `json:"email_address,omitempty"`
	ProvedAt *time.Time `json:"proved_at,omitempty"`
	IssuedAt *time.Time `json:"issued_at,omitempty"`
	AddedAt  *time.Time `json:"added_at,omitempty"`
	UsedAt   *time.Time `json:"used_at,omitempty"`
	// Counts tells whether it counts now: see valid_for, and revocations of profiles.
	Counts bool `json:"counts"`
}

func sessionOf(r authn.RenderedSession) Session {
	s := r.Session
	out := Session{
		ID: s.ID, OrganizationID: s.OrganizationID, MemberID: s.MemberID, Email: r.Member.Email, Implicit: s.Implicit,
		StartedAt: s.StartedAt.UTC(), LastAccessedAt: s.LastAccessedAt.UTC(), ExpiresAt: s.EndsAt().UTC(),
		Roles: append([]string{}, r.Roles...), Factors: []Factor{}, Claims: r.Claims,
	}
	for _, f := range s.Factors {
		out.Factors = append(out.Factors, factorOf(f, r.Factors))
	}
	return out
}

func factorOf(f session.Factor, counting []session.Factor) Factor {
	out := Factor{
		Profile: f.Profile, Type: f.Type, Issuer: f.Issuer, TokenID: f.TokenID, Email: f.Email,
		ProvedAt: moment(f.ProvedAt), IssuedAt: moment(f.IssuedAt), AddedAt: moment(f.CreatedAt), UsedAt: moment(f.UpdatedAt),
	}
	for _, c := range counting {
		out.Counts = out.Counts || c.Profile == f.Profile && c.TokenID == f.TokenID && c.Issuer == f.Issuer
	}
	return out
}

// Limits of lists.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

func (c *call) query(name string) string { return c.URL.Query().Get(name) }

// limit is how long the answer may be.
func (c *call) limit() (int, error) {
	text := c.query("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, badRequest("limit is outside 1 to 1000")
	}
	return n, nil
}

func (c *call) filter() (authn.SessionFilter, error) {
	f := authn.SessionFilter{
		Organization: c.query("organization"), Member: c.query("member"), Profile: c.query("profile"),
		Issuer: c.query("issuer"), Factor: c.query("factor"), Claims: map[string]string{},
	}
	for _, text := range c.URL.Query()["claim"] {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return f, badRequest("claim must be name=value")
		}
		f.Claims[name] = value
	}
	return f, nil
}

func (a *Admin) sessions(c *call) (any, error) {
	filter, err := c.filter()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	list := []Session{}
	err = a.Core.EachSession(c.Context(), filter, func(s authn.RenderedSession) bool {
		if len(list) == limit {
			c.more()
			return false
		}
		list = append(list, sessionOf(s))
		return true
	})
	return list, err
}

func (a *Admin) session(c *call) (any, error) {
	s, err := a.Core.FindSession(c.Context(), c.PathValue("session"))
	return sessionOf(s), err
}

// A SessionsToRevoke names the sessions that are to end. Without a filter All must be
// set.
type SessionsToRevoke struct {
	SessionID    string            `json:"session_id"`
	Organization string            `json:"organization"`
	Member       string            `json:"member"`
	Profile      string            `json:"profile"`
	Issuer       string            `json:"issuer"`
	Factor       string            `json:"factor"`
	Claims       map[string]string `json:"claims"`
	All          bool              `json:"all"`
	// DryRun only counts.
	DryRun bool `json:"dry_run"`
}

// A RevokedSessions says how many were chosen, and how many have ended.
type RevokedSessions struct {
	Matched int `json:"matched"`
	Revoked int `json:"revoked"`
}

// revokeSessions ends sessions one after the other. One that has ended meanwhile is
// not counted. An implicit session takes its token with it; the tokens behind other
// sessions stay good: to keep their bearers out, revoke the member, the organization
// or the profile.
func (a *Admin) revokeSessions(c *call) (any, error) {
	var r SessionsToRevoke
	if err := c.body(&r); err != nil {
		return nil, err
	}
	if r.SessionID != "" {
		return a.revokeOne(c, r)
	}
	filter := authn.SessionFilter{
		Organization: r.Organization, Member: r.Member, Profile: r.Profile, Issuer: r.Issuer, Factor: r.Factor, Claims: r.Claims,
	}
	if filter.Empty() != r.All {
		return nil, badRequest("expected a session_id, a filter, or all")
	}
	var ids []string
	err := a.Core.EachSession(c.Context(), filter, func(s authn.RenderedSession) bool {
		ids = append(ids, s.Session.ID)
		return true
	})
	done := RevokedSessions{Matched: len(ids)}
	if err != nil || r.DryRun {
		return done, err
	}
	for _, id := range ids {
		if err := a.Core.RevokeSession(c.Context(), id); err == nil {
			done.Revoked++
		} else if authn.IsFault(err) {
			return nil, err
		}
	}
	return done, nil
}

func (a *Admin) revokeOne(c *call, r SessionsToRevoke) (any, error) {
	if r.DryRun {
		_, err := a.Core.FindSession(c.Context(), r.SessionID)
		return RevokedSessions{Matched: 1}, err
	}
	return RevokedSessions{1, 1}, a.Core.RevokeSession(c.Context(), r.SessionID)
}
