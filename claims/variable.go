package claims

import (
	"fmt"
	"strings"
)

// Variables are the values that a template may name. The roots are objects:
//
//	member.member_id                       string
//	member.external_id                     string
//	member.name                            string
//	member.email_address                   string
//	member.trusted_metadata[.path]         object, or what stands under the path
//	member.rbac.roles                      array of role ids
//	member.rbac.<resource>.actions         array of actions; empty where there are none
//	organization.organization_id           string
//	organization.organization_name         string
//	organization.organization_slug         string
//	organization.organization_external_id  string
//	organization.trusted_metadata[.path]   as above; also written organization_metadata
//	session.member_session_id              string
//	session.started_at, session.expires_at string, RFC 3339
//	session.profile, session.issuer        string, of the proof that admits
//	session.factor_types                   array of the types of the counting proofs
//	token.<claim path>                     whatever the trusted token has there
//
// The token is that of the proof that admits. Its claims stand in Variables under the
// whole path, as in "token": {"https://app.example/plan": "pro", "address.country": "DE"}.
//
// Both spellings of an organization's metadata read the one entry
// "trusted_metadata" of the organization. A resource id may contain dots: it is
// everything between "member.rbac." and the last ".actions", and in Variables it
// stands undivided, as in
//
//	"rbac": {"roles": [...], "acme.documents": {"actions": [...]}}
//
// Dots below trusted_metadata always descend.
//
// Values are what a JSON decoder makes (nil, bool, string, json.Number, []any,
// map[string]any) or []string; any other Go value is taken for what it marshals
// to.
type Variables map[string]any

const (
	memberRoot       = "member"
	organizationRoot = "organization"
	tokenRoot        = "token"
	metadata         = "trusted_metadata"
	rbacPrefix       = memberRoot + ".rbac."
	actionsSuffix    = ".actions"
)

// compile turns the path of a tag into what it evaluates to.
func compile(path string) (expression, error) {
	segments := strings.Split(path, ".")
	for _, s := range segments {
		if s == "" {
			return nil, fmt.Errorf("variable %s has an empty segment", quote(path))
		}
	}
	if strings.HasPrefix(path, rbacPrefix) {
		return compileRBAC(path)
	}
	if claim, ok := strings.CutPrefix(path, tokenRoot+"."); ok {
		return tokenClaim(claim), nil
	}
	if len(segments) < 2 {
		return nil, unknownVariable(path)
	}
	return compileAttribute(path, segments)
}

// compileAttribute resolves member.x, organization.x and session.x. Only metadata has
// anything below it.
func compileAttribute(path string, segments []string) (expression, error) {
	switch segments[0] + "." + segments[1] {
	case "member.member_id", "member.external_id", "member.name", "member.email_address",
		"organization.organization_id", "organization.organization_name",
		"organization.organization_slug", "organization.organization_external_id",
		"session.member_session_id", "session.started_at", "session.expires_at",
		"session.profile", "session.issuer", "session.factor_types":
		if len(segments) > 2 {
			return nil, fmt.Errorf("variable %s: nothing stands below %s.%s", quote(path), segments[0], segments[1])
		}
	case "member.trusted_metadata", "organization.trusted_metadata":
	case "organization.organization_metadata":
		segments[1] = metadata
	default:
		return nil, unknownVariable(path)
	}
	return lookup(segments), nil
}

func compileRBAC(path string) (expression, error) {
	rest := strings.TrimPrefix(path, rbacPrefix)
	if rest == "roles" {
		return lookup{memberRoot, "rbac", "roles"}, nil
	}
	resource, ok := strings.CutSuffix(rest, actionsSuffix)
	if !ok {
		return nil, fmt.Errorf("variable %s: expected member.rbac.roles or member.rbac.<resource>.actions", quote(path))
	}
	return actions(resource), nil
}

func unknownVariable(path string) error { return fmt.Errorf("unknown variable %s", quote(path)) }

// find walks from the root of the variables; nil means missing or null.
func (v Variables) find(path ...string) any {
	var at any = map[string]any(v)
	for _, name := range path {
		within, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = within[name]
	}
	return at
}
