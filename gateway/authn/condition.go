package authn

import (
	"slices"
)

// A Condition tells those apart who were admitted at a route, after it has decided. It
// holds for what it lists as a Requirement does, or for one of the two further kinds.
type Condition struct {
	Requirement
	// Profiles are those by which sessions were admitted: see Decision.Profile.
	Profiles []string
	// Anonymous holds where nobody was admitted.
	Anonymous bool
}

// A CompiledCondition is ready to be asked.
type CompiledCondition struct {
	requirement
	profiles  []string
	anonymous bool
}

// Compile checks a condition. The error is a *ConfigError.
func (c Condition) Compile() (*CompiledCondition, error) {
	said := 0
	for _, kind := range []bool{len(c.kinds()) > 0, len(c.Profiles) > 0, c.Anonymous} {
		if kind {
			said++
		}
	}
	if said != 1 {
		return nil, &ConfigError{"condition", "expected one of role, factor, fresh, organization, claim, expression, profile and anonymous"}
	}
	compiled := &CompiledCondition{profiles: c.Profiles, anonymous: c.Anonymous}
	if len(c.kinds()) == 0 {
		return compiled, nil
	}
	if err := c.Requirement.check(); err != nil {
		return nil, err
	}
	var err error
	compiled.requirement, err = c.Requirement.compile()
	return compiled, err
}

// Holds tells whether a condition holds of what was decided about p at the route.
func (a *Authenticator) Holds(c *CompiledCondition, route *CompiledRoute, p Presented, d Decision) bool {
	switch {
	case d.Anonymous || c.anonymous:
		return d.Anonymous && c.anonymous
	case len(c.profiles) > 0:
		return slices.Contains(c.profiles, d.Profile)
	}
	first, _ := a.firstFactor(route.profiles, d.Factors)
	return a.meets(route, c.requirement, subject{d.LiveSession, d.Roles, d.Claims, first, p})
}
