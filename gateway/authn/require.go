package authn

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/expression"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A Requirement is met by any of what it lists, and lists one kind. It is judged at every
// request by what counts then.
type Requirement struct {
	// Roles are the member's.
	Roles []string
	// Factors are types of counting factors.
	Factors []string
	// Within is how long ago the proof of one of Factors was given at most. Default: any
	// age. A proof of which the token did not say when it was given meets none.
	Within time.Duration
	// Fresh is how long ago some proof that is no second factor, and of a profile of the
	// route, was given at most.
	Fresh time.Duration
	// Organizations are configured ones, else ids or external ids (directory.Means).
	Organizations []string
	// Claims are of this route's JWT, as the template and the session say them.
	Claims []trust.RequiredClaim
	// Expression is CEL over claims (of this route's JWT), member, organization, session
	// (as claim templates have them), factors (a list of what counts: type, profile,
	// issuer, token_id, and proved_at, a time, where it is known) and request (method,
	// host, client_ip, and time). What it cannot evaluate is not met.
	Expression string
}

// String is the requirement as the configuration writes it.
func (q Requirement) String() string {
	switch {
	case len(q.Roles) > 0:
		return "role " + strings.Join(q.Roles, " ")
	case len(q.Factors) > 0 && q.Within > 0:
		return "factor " + strings.Join(q.Factors, " ") + " within " + short(q.Within)
	case len(q.Factors) > 0:
		return "factor " + strings.Join(q.Factors, " ")
	case q.Fresh > 0:
		return "fresh " + short(q.Fresh)
	case len(q.Organizations) > 0:
		return "organization " + strings.Join(q.Organizations, " ")
	case q.Expression != "":
		return "expression " + q.Expression
	}
	words := []string{"claim"}
	for _, c := range q.Claims {
		words = append(words, c.Path+"="+c.Value)
	}
	return strings.Join(words, " ")
}

// short is a duration without units that are nothing.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// kinds are those that the requirement lists.
func (q Requirement) kinds() (list []string) {
	for kind, said := range map[string]bool{
		"role": len(q.Roles) > 0, "factor": len(q.Factors) > 0, "fresh": q.Fresh != 0,
		"organization": len(q.Organizations) > 0, "claim": len(q.Claims) > 0, "expression": q.Expression != "",
	} {
		if said {
			list = append(list, kind)
		}
	}
	return list
}

func (q Requirement) check() error {
	switch {
	case len(q.kinds()) != 1:
		return &ConfigError{"require", "expected one of role, factor, fresh, organization, claim and expression"}
	case q.Within != 0 && len(q.Factors) == 0:
		return &ConfigError{"require", "within goes with factor"}
	}
	for _, age := range []time.Duration{q.Within, q.Fresh} {
		if err := checkDuration("require", age); err != nil {
			return err
		}
		if err := checkLifetime("require", age); err != nil {
			return err
		}
	}
	for _, c := range q.Claims {
		if c.Path == "" || c.Value == "" {
			return &ConfigError{"require", "expected claim <path>=<value>"}
		}
	}
	_, err := q.compile()
	return err
}

// requirement is a Requirement with what it is compiled to.
type requirement struct {
	Requirement
	condition *expression.Expression
}

func (q Requirement) compile() (requirement, error) {
	if q.Expression == "" {
		return requirement{q, nil}, nil
	}
	condition, err := expression.Condition(q.Expression, expression.Object("claims"), expression.Object("member"), expression.Object("organization"),
		expression.Object("session"), expression.List("factors"), expression.Object("request"))
	if err != nil {
		return requirement{}, &ConfigError{"require", "expression " + err.Error()}
	}
	return requirement{q, condition}, nil
}

// A subject is a session at a route, of which something is required.
type subject struct {
	LiveSession
	roles  []string
	claims claims.Object
	first  session.Factor // that admits
	by     Presented
}

func (a *Authenticator) meets(r *CompiledRoute, q requirement, s subject) bool {
	now := a.Now()
	switch {
	case len(q.Roles) > 0:
		return slices.ContainsFunc(s.roles, func(role string) bool { return slices.Contains(q.Roles, role) })
	case len(q.Factors) > 0:
		return slices.ContainsFunc(s.Factors, func(f session.Factor) bool {
			return slices.Contains(q.Factors, f.Type) && (q.Within == 0 || f.ProvedWithin(q.Within, now))
		})
	case q.Fresh > 0:
		return slices.ContainsFunc(s.Factors, func(f session.Factor) bool {
			return slices.Contains(r.profiles, f.Profile) && !a.secondOnly(f.Profile) && f.ProvedWithin(q.Fresh, now)
		})
	case len(q.Organizations) > 0:
		return slices.ContainsFunc(q.Organizations, func(name string) bool { return a.Directory.Means(name, s.Organization) })
	case q.condition != nil:
		holds, err := q.condition.Holds(a.facts(s, now))
		return holds && err == nil
	}
	return slices.ContainsFunc(q.Claims, func(c trust.RequiredClaim) bool { return c.In(s.claims) })
}

// facts are what an expression reads.
func (a *Authenticator) facts(s subject, now time.Time) expression.Variables {
	v := a.variables(s.LiveSession, s.roles, s.first)
	factors := make([]any, len(s.Factors))
	for i, f := range s.Factors {
		fact := map[string]any{"type": f.Type, "profile": f.Profile, "issuer": f.Issuer, "token_id": f.TokenID}
		if !f.ProvedAt.IsZero() {
			fact["proved_at"] = f.ProvedAt
		}
		factors[i] = fact
	}
	return expression.Variables{
		"claims": s.claims, "member": v["member"], "organization": v["organization"], "session": v["session"], "factors": factors,
		"request": map[string]any{"method": s.by.Method, "host": hostname(s.by.Host), "client_ip": s.by.Client, "time": now},
	}
}

// hostname is a Host in lower case, without port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

var errRequirement = errors.New("authn: the session does not meet the route's requirement")

// permit refuses a session that does not meet all requirements of the route. A factor or a
// proof that is missing is asked for (RFC 9470) where a profile of the route can give it;
// of the others the session would have to be another's.
func (a *Authenticator) permit(r *CompiledRoute, s subject) error {
	for _, q := range r.require {
		if a.meets(r, q, s) {
			continue
		}
		refused := Refuse("requirement_not_met", fmt.Errorf("%w: %s", errRequirement, q))
		if step := a.stepUp(r, q); step != nil {
			refused.Problem, refused.StepUp = problems["insufficient_user_authentication"], step
		}
		refused.Reason = "require_" + strings.Fields(q.String())[0]
		return refused
	}
	return nil
}

// A StepUp is what would help a session that lacks a factor or a recent proof.
type StepUp struct {
	// Factors are the types of which one is missing; none where any proof will do.
	Factors []string
	// MaxAge is how old the proof may be; 0 where any age will do.
	MaxAge time.Duration
}

func (a *Authenticator) stepUp(r *CompiledRoute, q requirement) *StepUp {
	if q.Fresh > 0 {
		return &StepUp{MaxAge: q.Fresh}
	}
	given := slices.DeleteFunc(slices.Clone(q.Factors), func(kind string) bool { return !a.canGive(r.profiles, kind) })
	if len(given) == 0 {
		return nil
	}
	return &StepUp{Factors: given, MaxAge: q.Within}
}

func (a *Authenticator) canGive(profiles []string, factor string) bool {
	return slices.ContainsFunc(profiles, func(name string) bool {
		p, ok := a.Profiles.Profile(name)
		return ok && p.Config().Factor.Type == factor
	})
}
