package trust

import (
	"fmt"
	"strings"
)

// checkWhen asks for all conditions. One that cannot be evaluated refuses: a claim that
// it names is missing, or of another type.
func checkWhen(v *verification) *failure {
	for _, e := range v.profile.when {
		switch holds, err := e.holds(v.token.Claims); {
		case err != nil:
			return &failure{code: CodeConditionError, remedy: "the condition cannot be evaluated for this token, which may lack a claim that it names; has(claims.x) tells whether one is there: " + e.text}
		case !holds:
			return &failure{code: CodeConditionFailed, remedy: "the token must satisfy " + e.text}
		}
	}
	return nil
}

// satisfies tells whether a token meets what a profile requires of its claims; it is not
// verified yet.
func (p *Profile) satisfies(claims map[string]any) bool {
	v := &verification{profile: p}
	for _, e := range p.when {
		if holds, err := e.holds(claims); err != nil || !holds {
			return false
		}
	}
	return v.required(claims) == nil
}

func configuredWhen(p *Profile) string {
	texts := make([]string, len(p.when))
	for i, e := range p.when {
		texts[i] = e.text
	}
	return joinOr(texts, "none")
}

func foundWhen(v *verification) string {
	if len(v.profile.when) == 0 {
		return "-"
	}
	n := 0
	for _, e := range v.profile.when {
		if holds, err := e.holds(v.token.Claims); err == nil && holds {
			n++
		}
	}
	return fmt.Sprintf("%d of %d hold", n, len(v.profile.when))
}

func (p *Profile) readWhen() *ConfigError {
	for _, text := range p.config.When {
		e, err := compileExpression(text, true)
		if err != nil {
			return valueErrorf("when", text, "%s", flatten(err))
		}
		p.when = append(p.when, e)
	}
	return checkUnique("when", p.config.When)
}

// flatten puts a message of the compiler, which draws below the expression, on one line.
func flatten(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(line, "ERROR: <input>:")
}
