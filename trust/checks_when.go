package trust

import (
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/expression"
)

// claimsVariable is what the expressions of a profile read.
var claimsVariable = expression.Object("claims")

func claimsOf(claims map[string]any) expression.Variables {
	return expression.Variables{"claims": claims}
}

// checkWhen asks for all conditions. One that cannot be evaluated refuses: a claim that
// it names is missing, or of another type.
func checkWhen(v *verification) *failure {
	for _, e := range v.profile.when {
		switch holds, err := e.Holds(claimsOf(v.token.Claims)); {
		case err != nil:
			return &failure{code: CodeConditionError, remedy: "the condition cannot be evaluated for this token, which may lack a claim that it names; has(claims.x) tells whether one is there: " + e.String()}
		case !holds:
			return &failure{code: CodeConditionFailed, remedy: "the token must satisfy " + e.String()}
		}
	}
	return nil
}

// satisfies tells whether a token meets what a profile requires of its claims; it is not
// verified yet.
func (p *Profile) satisfies(claims map[string]any) bool {
	v := &verification{profile: p}
	for _, e := range slices.Concat(p.when, p.conditions) {
		if holds, err := e.Holds(claimsOf(claims)); err != nil || !holds {
			return false
		}
	}
	return v.required(claims) == nil
}

func configuredWhen(p *Profile) string {
	texts := make([]string, len(p.when))
	for i, e := range p.when {
		texts[i] = e.String()
	}
	return joinOr(texts, "none")
}

func foundWhen(v *verification) string { return v.countHolding(v.profile.when) }

func (v *verification) countHolding(all []*expression.Expression) string {
	if len(all) == 0 {
		return "-"
	}
	n := 0
	for _, e := range all {
		if holds, err := e.Holds(claimsOf(v.token.Claims)); err == nil && holds {
			n++
		}
	}
	return fmt.Sprintf("%d of %d hold", n, len(all))
}

func (p *Profile) readWhen() *ConfigError {
	for _, text := range p.config.When {
		e, err := expression.Condition(text, claimsVariable)
		if err != nil {
			return valueErrorf("when", text, "%v", err)
		}
		p.when = append(p.when, e)
	}
	for _, c := range p.config.Conditions {
		e, err := expression.Condition(c.When, claimsVariable)
		if err != nil || !validName(c.Code) {
			return valueErrorf("when", c.When, "of condition %s: %v", c.Code, err)
		}
		p.conditions = append(p.conditions, e)
	}
	return checkUnique("when", p.config.When)
}

// checkConditions is checkWhen for those with a code of their own.
func checkConditions(v *verification) *failure {
	for i, e := range v.profile.conditions {
		if holds, err := e.Holds(claimsOf(v.token.Claims)); err != nil || !holds {
			c := v.profile.config.Conditions[i]
			return &failure{code: c.Code, remedy: c.Remedy}
		}
	}
	return nil
}

func configuredConditions(p *Profile) string {
	codes := make([]string, len(p.config.Conditions))
	for i, c := range p.config.Conditions {
		codes[i] = c.Code
	}
	return joinOr(codes, "none")
}

func foundConditions(v *verification) string { return v.countHolding(v.profile.conditions) }
