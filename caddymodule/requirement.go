package caddymodule

import (
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/trust"
)

// Requirement is what a session must have at a route: one of what it lists, and it lists
// one kind.
type Requirement struct {
	// Roles of the member.
	Roles []string `json:"roles,omitempty"`

	// Types of factors that count.
	Factors []string `json:"factors,omitempty"`

	// With factors: how long ago its proof was given at most, at least 1s. Default: 0, any
	// age.
	Within caddy.Duration `json:"within,omitempty"`

	// How long ago some proof that is no second factor, and of a profile of the route, was
	// given at most, at least 1s.
	Fresh caddy.Duration `json:"fresh,omitempty"`

	// Organizations, by id or external id.
	Organizations []string `json:"organizations,omitempty"`

	// Claims of this route's JWT, each with its value.
	Claims []RequiredClaim `json:"claims,omitempty"`

	// A condition in CEL over claims, member, organization, session, factors and request.
	Expression string `json:"expression,omitempty"`
}

// requirement is the line to the gateway.
func (q Requirement) requirement() authn.Requirement {
	out := authn.Requirement{
		Roles: q.Roles, Factors: q.Factors, Within: time.Duration(q.Within), Fresh: time.Duration(q.Fresh),
		Organizations: q.Organizations, Expression: q.Expression,
	}
	for _, c := range q.Claims {
		out.Claims = append(out.Claims, trust.RequiredClaim{Path: c.Claim, Value: c.Value})
	}
	return out
}

// requirementArgs is what may stand behind require.
const requirementArgs = "role <role>... | factor <type>... [within <duration>] | fresh <duration> | organization <id>... | claim <path>=<value>... | expression <CEL>"

// readRequire reads a line of require.
func readRequire(r *grammar.Reader, h *Attest) error {
	if !r.NextArg() {
		return r.Wrong()
	}
	var q Requirement
	if err := q.read(r, r.Val()); err != nil {
		return err
	}
	h.Require = append(h.Require, q)
	return nil
}

func (q *Requirement) readExpression(r *grammar.Reader) error {
	if q.Expression = celText(r.RemainingArgsRaw()); q.Expression == "" {
		return r.Wrong()
	}
	return nil
}

// read reads what stands behind the kind of a requirement; more are other kinds that the
// line may have.
func (q *Requirement) read(r *grammar.Reader, kind string, more ...string) (err error) {
	if kind == "expression" {
		return q.readExpression(r)
	}
	values, err := r.Args(1)
	if err != nil {
		return err
	}
	switch kind {
	case "role":
		q.Roles = values
	case "factor":
		q.Factors, q.Within, err = readWithin(r, values)
	case "fresh":
		if len(values) > 1 {
			return r.Wrong()
		}
		q.Fresh, err = r.ParseDuration(values[0])
	case "organization":
		q.Organizations = values
	case "claim":
		q.Claims, err = readClaimValues(r, values)
	default:
		err = r.Unrecognized("requirement", kind, append([]string{"role", "factor", "fresh", "organization", "claim", "expression"}, more...)...)
	}
	return err
}

// readWithin takes `within <duration>` from the end of a line of factors.
func readWithin(r *grammar.Reader, values []string) ([]string, caddy.Duration, error) {
	i := slices.Index(values, "within")
	switch {
	case i < 0:
		return values, 0, nil
	case i == 0 || i != len(values)-2:
		return nil, 0, r.Wrong()
	}
	within, err := r.ParseDuration(values[i+1])
	return values[:i], within, err
}

func readClaimValues(r *grammar.Reader, values []string) (list []RequiredClaim, err error) {
	for _, text := range values {
		path, value, ok := strings.Cut(text, "=")
		if !ok || path == "" || value == "" {
			return nil, r.Wrong()
		}
		list = append(list, RequiredClaim{Claim: path, Value: value})
	}
	return list, nil
}
