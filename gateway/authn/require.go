package authn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/trust"
)

// A Requirement is met by any of what it lists, and lists one kind. It is judged at every
// request by what counts then.
type Requirement struct {
	// Roles are the member's.
	Roles []string `json:"roles,omitempty"`
	// Factors are types of counting factors.
	Factors []string `json:"factors,omitempty"`
	// Organizations are configured ones, else ids or external ids (directory.Means).
	Organizations []string `json:"organizations,omitempty"`
	// Claims are of this route's JWT, as the template and the session say them.
	Claims []trust.RequiredClaim `json:"claims,omitempty"`
}

// String is the requirement as the configuration writes it.
func (r Requirement) String() string {
	switch {
	case len(r.Roles) > 0:
		return "role " + strings.Join(r.Roles, " ")
	case len(r.Factors) > 0:
		return "factor " + strings.Join(r.Factors, " ")
	case len(r.Organizations) > 0:
		return "organization " + strings.Join(r.Organizations, " ")
	}
	words := []string{"claim"}
	for _, c := range r.Claims {
		words = append(words, c.Path+"="+c.Value)
	}
	return strings.Join(words, " ")
}

func (r Requirement) check() error {
	kinds := 0
	for _, n := range []int{len(r.Roles), len(r.Factors), len(r.Organizations), len(r.Claims)} {
		if n > 0 {
			kinds++
		}
	}
	if kinds != 1 {
		return &ConfigError{"require", "expected one of role, factor, organization and claim"}
	}
	for _, c := range r.Claims {
		if c.Path == "" || c.Value == "" {
			return &ConfigError{"require", "expected claim <path>=<value>"}
		}
	}
	return nil
}

// meets tells whether a session meets a requirement, with its roles and the claims of its JWT.
func (a *Authenticator) meets(r Requirement, live LiveSession, roles []string, effective claims.Object) bool {
	switch {
	case len(r.Roles) > 0:
		return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(r.Roles, role) })
	case len(r.Factors) > 0:
		return slices.ContainsFunc(factorTypes(live.Factors), func(kind string) bool { return slices.Contains(r.Factors, kind) })
	case len(r.Organizations) > 0:
		return slices.ContainsFunc(r.Organizations, func(name string) bool { return a.Directory.Means(name, live.Organization) })
	}
	return slices.ContainsFunc(r.Claims, func(c trust.RequiredClaim) bool { return c.In(effective) })
}

var errRequirement = errors.New("authn: the session does not meet the route's requirement")

// permit refuses a session that does not meet all requirements of the route. A missing
// factor is asked for (RFC 9470) where a profile of the route can give it; of the others
// the session would have to be another's.
func (a *Authenticator) permit(r *CompiledRoute, live LiveSession, roles []string, effective claims.Object) error {
	for _, q := range r.Require {
		switch {
		case a.meets(q, live, roles, effective):
		case a.canGive(r.profiles, q.Factors):
			return requirement("insufficient_user_authentication", q)
		default:
			return requirement("requirement_not_met", q)
		}
	}
	return nil
}

func (a *Authenticator) canGive(profiles, factors []string) bool {
	return slices.ContainsFunc(profiles, func(name string) bool {
		p, ok := a.Profiles.Profile(name)
		return ok && slices.Contains(factors, p.Config().Factor.Type)
	})
}

func requirement(code string, q Requirement) error {
	refused := Refuse(code, fmt.Errorf("%w: %s", errRequirement, q))
	refused.Reason = "require_" + strings.Fields(q.String())[0]
	return refused
}
