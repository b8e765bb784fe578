package preset

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/trust"
)

// A Kind says who gets tokens of an issuer.
type Kind string

// The kinds. With a self-registration issuer anybody opens an account, so that to create
// members takes a condition or the word public; with a workload issuer anybody has tokens
// made, so that a condition is needed always.
const (
	Customer         Kind = "customer"
	SelfRegistration Kind = "self-registration"
	Workload         Kind = "workload"
)

// A Preset stands for the lines of a profile.
type Preset struct {
	Name string
	// About says whose tokens it is for, in one line.
	About string
	Kind  Kind
	// Args are the names of its arguments; those in brackets may be left out. In Lines,
	// <name> stands for the value.
	Args []string
	// Lines are overridden by the profile's own.
	Lines func(Arguments) []string
	// Conditions are checks of every token.
	Conditions func(Arguments) []trust.Condition
	// Rules are about the profile's configuration, when all of it is known.
	Rules []Rule
}

// Arguments are those of one use of a preset, by name; what was left out is empty.
type Arguments map[string]string

// A Rule is broken, or not, by a configuration.
type Rule struct {
	// Reason says what must be, and why.
	Reason string
	Holds  func(trust.Config, Arguments) bool
}

// argument is what an argument may be, so that it stays one word of a line and means
// nothing to CEL.
var argument = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9._:/@-]{0,255}$`)

// Find is the preset of that name.
func Find(name string) (Preset, bool) {
	i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return presets[i], true
}

// Names are those of all presets, in order.
func Names() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.Name
	}
	return names
}

// Usage is the line that uses the preset.
func (p Preset) Usage() string {
	words := []string{"preset", p.Name}
	for _, a := range p.Args {
		if name, optional := strings.CutPrefix(a, "["); optional {
			words = append(words, "[<"+strings.TrimSuffix(name, "]")+">]")
			continue
		}
		words = append(words, "<"+a+">")
	}
	return strings.Join(words, " ")
}

// Arguments gives the values their names.
func (p Preset) Arguments(values []string) (Arguments, error) {
	args := Arguments{}
	if len(values) > len(p.Args) {
		return nil, fmt.Errorf("too many arguments; expected %s", p.Usage())
	}
	for i, name := range p.Args {
		name, optional := strings.CutPrefix(strings.TrimSuffix(name, "]"), "[")
		switch {
		case i < len(values) && argument.MatchString(values[i]):
			args[name] = values[i]
		case i < len(values):
			return nil, fmt.Errorf("%q cannot be an argument: letters, digits and . _ : / @ -", values[i])
		case !optional:
			return nil, fmt.Errorf("the argument <%s> is missing; expected %s", name, p.Usage())
		}
	}
	return args, nil
}

// TextOf are the lines that a use of the preset stands for, and as comments what no line
// can undo.
func (p Preset) TextOf(args Arguments) []string {
	lines := p.Lines(args)
	if p.Conditions != nil {
		for _, c := range p.Conditions(args) {
			lines = append(lines, fmt.Sprintf("# always: %s (%s)", c.When, c.Code))
		}
	}
	for _, r := range p.Rules {
		lines = append(lines, "# needs: "+r.Reason)
	}
	if reason := p.creating(); reason != "" {
		lines = append(lines, "# needs: "+reason)
	}
	return lines
}

func (p Preset) creating() string {
	if p.Kind != SelfRegistration {
		return ""
	}
	return "for create a condition (require_claims with a value, or when), or the word public on that line: anybody can register with this issuer"
}

// Check refuses a configuration that lacks what the preset needs.
func (p Preset) Check(c trust.Config, args Arguments) error {
	for _, r := range p.Rules {
		if !r.Holds(c, args) {
			return fmt.Errorf("needs %s", r.Reason)
		}
	}
	if p.Kind == SelfRegistration && !guarded(c) {
		return fmt.Errorf("needs %s", p.creating())
	}
	return nil
}

// guarded tells whether what a profile creates depends on more than that the issuer
// knows somebody.
func guarded(c trust.Config) bool {
	return !c.CreateMembers && !c.CreateOrganizations || c.Public || hasCondition(c)
}

// hasCondition tells whether something is asked that not every token of an issuer has.
func hasCondition(c trust.Config) bool {
	return slices.ContainsFunc(c.When, comparison.MatchString) ||
		slices.ContainsFunc(c.RequireClaims, func(r trust.RequiredClaim) bool {
			return r.Value != "" && !slices.Contains(everybodys, r.Path)
		})
}

// everybodys are claims that say the same of everybody.
var everybodys = []string{"email_verified", "iss", "aud", "runner_environment", "ref_type", "event_name"}

// comparison is of a claim with what it must be; that a claim is there says nothing.
var comparison = regexp.MustCompile(`==\s*['"0-9tf]|\bin\s*\[|\.(startsWith|endsWith|matches)\(\s*['"]|['"]\s*(==|in\b)`)

// pins tells whether a claim must have one value, or a condition names it.
func pins(c trust.Config, claim string) bool {
	return slices.ContainsFunc(c.RequireClaims, func(r trust.RequiredClaim) bool { return r.Path == claim && r.Value != "" }) ||
		slices.ContainsFunc(c.When, func(when string) bool { return names(when, claim) })
}

// names tells whether an expression reads the claim.
func names(expression, claim string) bool {
	return strings.Contains(expression, "claims['"+claim+"']") || strings.Contains(expression, `claims["`+claim+`"]`) ||
		regexp.MustCompile(`\bclaims\.`+regexp.QuoteMeta(claim)+`\b`).MatchString(expression)
}

func pinsOne(c trust.Config, claims ...string) bool {
	return slices.ContainsFunc(claims, func(claim string) bool { return pins(c, claim) })
}

// reads tells whether an attribute, the organization or the session key comes from a
// claim for which the function is true.
func reads(c trust.Config, attributes []string, is func(path string) bool) bool {
	for attribute, path := range c.Map {
		if (attributes == nil || slices.Contains(attributes, attribute)) && is(path) {
			return true
		}
	}
	for attribute, expression := range c.MapExpressions {
		if (attributes == nil || slices.Contains(attributes, attribute)) && is(expression) {
			return true
		}
	}
	return is(strings.TrimPrefix(c.Organization, "{claims."))
}
