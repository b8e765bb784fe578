package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

func init() {
	caddy.RegisterModule(new(MatchAttest))
}

// MatchAttest matches requests by whom an attest before has admitted. It decides nothing
// by itself: where no attest has decided yet it is an error (500), also under `not`, so that
// a route which is asked too early lets nobody through. In expressions it is the function
// `attest('role', 'admin')`.
type MatchAttest struct {
	// What must hold, all of it.
	Conditions []AttestCondition `json:"conditions,omitempty"`

	// Where a Caddyfile says this, for errors about the whole configuration; the
	// adapter writes it. Default: unknown.
	Source string `json:"source,omitempty"`

	compiled []*authn.CompiledCondition
}

// AttestCondition is one of the kinds of a requirement, or one of two more.
type AttestCondition struct {
	Requirement

	// Profiles by which the session was admitted.
	Profiles []string `json:"profiles,omitempty"`

	// That nobody was admitted: at an optional route or under `attest off`, and after a
	// refusal. Default: false.
	Anonymous bool `json:"anonymous,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*MatchAttest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.matchers.attest",
		New: func() caddy.Module { return new(MatchAttest) },
	}
}

// matcherBlock describes the lines, which Caddy hands over by themselves.
var matcherBlock = grammar.Block[AttestCondition]{Name: "@<name>", Lines: []grammar.Line[AttestCondition]{
	grammar.Custom[AttestCondition]("attest role", "<role>...", "the member has one of the roles", nil),
	grammar.Custom[AttestCondition]("attest profile", "<name>...", "the session was admitted by one of the profiles", nil),
	grammar.Custom[AttestCondition]("attest factor", "<type>... [within <duration>]", "a factor of one of the types counts, and is not older", nil),
	grammar.Custom[AttestCondition]("attest fresh", "<duration>", "a first factor was proved within the time", nil),
	grammar.Custom[AttestCondition]("attest organization", "<id>...", "the session is of one of the organizations", nil),
	grammar.Custom[AttestCondition]("attest claim", "<path>=<value>...", "a claim of the route's JWT has the value, or has it among others", nil),
	grammar.Custom[AttestCondition]("attest expression", "<CEL>", "as require has it", nil),
	grammar.Custom[AttestCondition]("attest anonymous", "", "nobody was admitted", nil),
}}

const matcherArgs = "role <role>... | profile <name>... | factor <type>... [within <duration>] | fresh <duration> | organization <id>... | claim <path>=<value>... | expression <CEL> | anonymous"

var matcherPlace = grammar.Place{"attest"}

// UnmarshalCaddyfile reads the matcher; the words of a line are alternatives, several lines
// add up.
//
//	@<name> {
//		attest role <role>...
//		attest profile <name>...
//		attest factor <type>... [within <duration>]
//		attest fresh <duration>
//		attest organization <id>...
//		attest claim <path>=<value>...
//		attest expression <CEL>
//		attest anonymous
//	}
func (m *MatchAttest) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	for d.Next() {
		d.Prev()
		r := grammar.NewReader(d, matcherPlace, matcherArgs)
		if m.Source == "" {
			m.Source = r.Source(nil)
		}
		var c AttestCondition
		if err := c.readLine(r); err != nil {
			return err
		}
		if _, err := c.condition().Compile(); err != nil {
			return r.Errf("%s", problemOf(err))
		}
		m.Conditions = append(m.Conditions, c)
	}
	return nil
}

func (c *AttestCondition) readLine(r *grammar.Reader) (err error) {
	if !r.NextArg() {
		return r.Wrong()
	}
	switch kind := r.Val(); kind {
	case "anonymous":
		c.Anonymous = true
	case "profile":
		c.Profiles, err = r.Args(1)
	default:
		err = c.read(r, kind, "profile", "anonymous")
	}
	if err != nil {
		return err
	}
	return r.End()
}

// condition is the line to the gateway.
func (c AttestCondition) condition() authn.Condition {
	return authn.Condition{Requirement: c.requirement(), Profiles: c.Profiles, Anonymous: c.Anonymous}
}

// problemOf is what an error of the core says, without its place.
func problemOf(err error) string {
	var e *authn.ConfigError
	if errors.As(err, &e) {
		return e.Reason
	}
	return err.Error()
}

// Provision compiles the conditions and looks for the profiles that they name.
func (m *MatchAttest) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if app == nil {
		return err
	}
	if len(m.Conditions) == 0 {
		return withSource(errors.New("attest: expected a condition"), m.Source)
	}
	for _, c := range m.Conditions {
		compiled, err := c.condition().Compile()
		if err != nil {
			return withSource(fmt.Errorf("attest: %s", problemOf(err)), m.Source)
		}
		for _, name := range c.Profiles {
			if app.Profiles[name] == nil {
				return withSource(fmt.Errorf("attest: there is no profile '%s'; expected %s", name, grammar.OneOf(keys(app.Profiles)...)), m.Source)
			}
		}
		m.compiled = append(m.compiled, compiled)
	}
	return nil
}

// errNotDecided is the answer to a matcher that is asked before an attest has decided.
// Directives such as redir, rewrite, vars and map run before attest in a Caddyfile.
var errNotDecided = errors.New("attest: not_decided_yet: this matcher is asked before an attest has decided about the request; put the route after it, in a handle or route block")

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m *MatchAttest) MatchWithError(r *http.Request) (bool, error) {
	d, decided := caddyhttp.GetVar(r.Context(), decidedVar).(*decided)
	if !decided {
		return false, caddyhttp.Error(http.StatusInternalServerError, errNotDecided)
	}
	for _, c := range m.compiled {
		if !d.admission.Holds(c) {
			return false, nil
		}
	}
	return true, nil
}

// CELLibrary is the function attest of expressions: the words of one line of the matcher.
func (*MatchAttest) CELLibrary(ctx caddy.Context) (cel.Library, error) {
	return caddyhttp.CELMatcherImpl("attest", "attest_request_list", []*cel.Type{cel.ListType(cel.StringType)},
		func(data ref.Val) (caddyhttp.RequestMatcherWithError, error) {
			words, err := data.ConvertToNative(reflect.TypeFor[[]string]())
			if err != nil {
				return nil, err
			}
			m := new(MatchAttest)
			if err := m.UnmarshalCaddyfile(lineOf("attest", words.([]string)...)); err != nil {
				return nil, err
			}
			m.Source = "" // it stands in an expression
			return m, m.Provision(ctx)
		})
}

// lineOf is a line of a Caddyfile.
func lineOf(directive string, words ...string) *caddyfile.Dispenser {
	tokens := []caddyfile.Token{{Text: directive}}
	for _, word := range words {
		tokens = append(tokens, caddyfile.Token{Text: word})
	}
	return caddyfile.NewDispenser(tokens)
}

var (
	_ caddy.Provisioner                 = (*MatchAttest)(nil)
	_ caddyfile.Unmarshaler             = (*MatchAttest)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchAttest)(nil)
	_ caddyhttp.CELLibraryProducer      = (*MatchAttest)(nil)
)
