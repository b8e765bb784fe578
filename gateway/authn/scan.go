package authn

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// A SessionFilter chooses among all sessions. Empty fields choose everything.
type SessionFilter struct {
	// Organization and Member are references, as FindMember takes them. A Member
	// without Organization is an id.
	Organization, Member string
	// Profile, Issuer and Factor (a type) are those of one and the same factor.
	Profile, Issuer, Factor string
	// Claims are effective claims under the default template, by top-level name: texts
	// as they are, everything else as compact JSON.
	Claims map[string]string
}

// Empty tells whether the filter chooses everything.
func (f SessionFilter) Empty() bool {
	return f.Organization == "" && f.Member == "" && f.Profile == "" && f.Issuer == "" && f.Factor == "" && len(f.Claims) == 0
}

// matches tells whether the session is chosen, who its member is aside.
func (f SessionFilter) matches(s RenderedSession) bool {
	fits := func(factor session.Factor) bool {
		return orAny(f.Profile, factor.Profile) && orAny(f.Issuer, factor.Issuer) && orAny(f.Factor, factor.Type)
	}
	if f.Profile+f.Issuer+f.Factor != "" && !slices.ContainsFunc(s.Session.Factors, fits) {
		return false
	}
	for name, want := range f.Claims {
		if have, ok := s.Claims[name]; !ok || claimText(have) != want {
			return false
		}
	}
	return true
}

func orAny(want, have string) bool { return want == "" || want == have }

func claimText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// EachSession visits the live sessions that the filter chooses, member by member, until
// visit answers false. It reads every member that the filter does not exclude, so it
// is for people and not for requests. A session whose claims cannot be rendered is
// visited without them.
func (a *Authenticator) EachSession(ctx context.Context, f SessionFilter, visit func(RenderedSession) bool) error {
	return a.eachMember(ctx, f, func(m directory.Member) (bool, error) {
		found, err := a.Sessions.List(ctx, m.OrganizationID, m.ID)
		if err != nil {
			return false, err
		}
		for _, s := range found {
			rendered, ok, err := a.listed(ctx, s)
			if err != nil {
				return false, err
			}
			if ok && f.matches(rendered) && !visit(rendered) {
				return false, nil
			}
		}
		return true, nil
	})
}

// listed is a session as lists show it: none that has ended with its member or
// organization.
func (a *Authenticator) listed(ctx context.Context, s session.Session) (RenderedSession, bool, error) {
	live, err := a.complete(ctx, s, a.Now())
	switch {
	case err == nil:
		return a.renderOrEmpty(live), true, nil
	case IsFault(err):
		return RenderedSession{}, false, err
	}
	return RenderedSession{}, false, nil
}

// eachMember visits the members that the filter names, all if it names none.
func (a *Authenticator) eachMember(ctx context.Context, f SessionFilter, visit func(directory.Member) (bool, error)) error {
	if f.Member != "" {
		m, err := a.FindMember(ctx, f.Organization, f.Member)
		if err == nil {
			_, err = visit(m)
		}
		return err
	}
	return a.EachOrganization(ctx, f.Organization, func(o directory.Organization) (bool, error) {
		return a.membersOf(ctx, o.ID, visit)
	})
}

// EachOrganization visits the organization of that name, or all where it is empty.
func (a *Authenticator) EachOrganization(ctx context.Context, name string, visit func(directory.Organization) (bool, error)) error {
	if name != "" {
		o, err := a.Directory.FindOrganization(ctx, name)
		if err == nil {
			_, err = visit(o)
		}
		return err
	}
	search := directory.OrganizationSearch{Limit: directory.MaxLimit}
	for {
		page, err := a.Directory.SearchOrganizations(ctx, search)
		if err != nil {
			return fmt.Errorf("authn: organizations: %w", err)
		}
		for _, o := range page.Organizations {
			if more, err := visit(o); !more || err != nil {
				return err
			}
		}
		if search.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

// membersOf visits the members of an organization, and tells whether to go on.
func (a *Authenticator) membersOf(ctx context.Context, organization string, visit func(directory.Member) (bool, error)) (bool, error) {
	search := directory.MemberSearch{Organizations: []string{organization}, Limit: directory.MaxLimit}
	for {
		page, err := a.Directory.SearchMembers(ctx, search)
		if err != nil {
			return false, fmt.Errorf("authn: members: %w", err)
		}
		for _, m := range page.Members {
			if more, err := visit(m); !more || err != nil {
				return more, err
			}
		}
		if search.Cursor = page.Next; page.Next == "" {
			return true, nil
		}
	}
}

// EachMember visits the members of the organization of that name, or all where it is
// empty.
func (a *Authenticator) EachMember(ctx context.Context, organization string, visit func(directory.Member) (bool, error)) error {
	return a.eachMember(ctx, SessionFilter{Organization: organization}, visit)
}

// FindSession answers a live session by its id.
func (a *Authenticator) FindSession(ctx context.Context, id string) (RenderedSession, error) {
	if !session.ValidID(id) {
		return RenderedSession{}, Refuse("session_not_found", nil)
	}
	live, err := a.liveSession(ctx, id)
	if err != nil {
		return RenderedSession{}, err
	}
	return a.renderOrEmpty(live), nil
}
