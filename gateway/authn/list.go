package authn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
)

// MaxListedSessions is how many sessions a page of a list has at most, and where the
// caller names no limit.
const MaxListedSessions = 1000

// A SessionList asks for a page of the sessions of a member.
type SessionList struct {
	// Organization and Member name the member, as FindMember takes them.
	Organization, Member string
	// Cursor is the Next of the page before; empty: the first page.
	Cursor string
	// Limit is the length of a page. Default, and most: MaxListedSessions.
	Limit int
}

// A SessionPage is a page of a list, oldest first.
type SessionPage struct {
	Sessions []RenderedSession
	// Total is how many there are on all pages.
	Total int
	// Next is the cursor of the next page; empty: this is the last.
	Next string
}

var errListLimit = fmt.Errorf("limit is outside 1 to %d", MaxListedSessions)

// ListSessions lists the sessions of a member that are accepted somewhere now, implicit
// ones among them. One whose claims cannot be rendered is answered without them: it
// can still be revoked.
func (a *Authenticator) ListSessions(ctx context.Context, l SessionList) (SessionPage, error) {
	if l.Limit < 0 || l.Limit > MaxListedSessions {
		return SessionPage{}, Refuse("invalid_argument", errListLimit)
	}
	after, err := parsePosition(l.Cursor)
	if err != nil {
		return SessionPage{}, err
	}
	all, err := a.sessionsOf(ctx, l.Organization, l.Member)
	if err != nil {
		return SessionPage{}, err
	}
	page := SessionPage{Total: len(all)}
	rest := slices.DeleteFunc(all, func(live LiveSession) bool { return positionOf(live.Session).compare(after) <= 0 })
	if limit := cmp.Or(l.Limit, MaxListedSessions); len(rest) > limit {
		rest = rest[:limit]
		page.Next = positionOf(rest[limit-1].Session).String()
	}
	for _, live := range rest {
		page.Sessions = append(page.Sessions, a.renderOrEmpty(live))
	}
	return page, nil
}

func (a *Authenticator) sessionsOf(ctx context.Context, organization, member string) ([]LiveSession, error) {
	m, err := a.FindMember(ctx, organization, member)
	if err != nil {
		return nil, err
	}
	found, err := a.Sessions.List(ctx, m.OrganizationID, m.ID)
	if err != nil {
		return nil, err
	}
	var list []LiveSession
	for _, s := range found {
		live, err := a.complete(ctx, s, a.Now())
		switch {
		case err != nil && IsFault(err):
			return nil, err
		case err == nil && a.hasFirstFactor(live):
			list = append(list, live)
		}
	}
	return list, nil
}

func (a *Authenticator) renderOrEmpty(live LiveSession) RenderedSession {
	r, err := a.render(live)
	if err != nil {
		r.Claims = claims.Object{}
	}
	return r
}

// A position is where a session stands in a list: also where it has ended since, the
// next page begins behind it. Its text is the cursor.
type position struct {
	startedAt time.Time
	id        string
}

func positionOf(s session.Session) position { return position{s.StartedAt, s.ID} }

// compare orders as session.Manager.List does.
func (p position) compare(other position) int {
	return cmp.Or(p.startedAt.Compare(other.startedAt), cmp.Compare(p.id, other.id))
}

func (p position) String() string { return strconv.FormatInt(p.startedAt.UnixNano(), 10) + "." + p.id }

var errCursor = errors.New("cursor is not the next_cursor of a page")

// parsePosition reads a cursor; an empty one stands before every session.
func parsePosition(cursor string) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	at, id, _ := strings.Cut(cursor, ".")
	nanoseconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return position{}, Refuse("invalid_argument", errCursor)
	}
	return position{time.Unix(0, nanoseconds), id}, nil
}
