package trust

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/email"
)

func checkRequired(v *verification) *failure { return v.required(v.token.Claims) }

func (v *verification) required(claims map[string]any) *failure {
	for _, r := range v.profile.config.RequireClaims {
		value := lookup(claims, r.Path)
		if value == nil {
			return &failure{code: CodeClaimMissing, remedy: "the token needs claim " + r.Path}
		}
		if r.Value != "" && !r.holds(value) {
			return &failure{code: CodeClaimMismatch, remedy: "claim " + r.Path + " must be " + r.Value}
		}
	}
	return nil
}

// In tells whether the claims have it.
func (r RequiredClaim) In(claims map[string]any) bool {
	value := lookup(claims, r.Path)
	return value != nil && (r.Value == "" || r.holds(value))
}

// holds tells whether a claim has the value; an array has it if one element does.
func (r RequiredClaim) holds(value any) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, r.holds)
	}
	text, ok := scalarText(value)
	return ok && text == r.Value
}

func configuredRequired(p *Profile) string {
	var b []string
	for _, r := range p.config.RequireClaims {
		b = append(b, strings.TrimSuffix(r.Path+"="+r.Value, "="))
	}
	return joinOr(b, "none")
}

func foundRequired(v *verification) string {
	var b []string
	for _, r := range v.profile.config.RequireClaims {
		b = append(b, r.Path+"="+foundPath(v, r.Path))
	}
	return joinOr(b, "-")
}

// Bounds of attributes read from a token, in bytes.
const (
	maxID       = 256
	maxName     = 256
	maxMetadata = 4096 // of the compact JSON of one key
)

func checkExternalID(v *verification) *failure {
	value, path, explicit := v.attribute(AttributeExternalID)
	if value == nil {
		if explicit {
			return &failure{code: CodeExternalIDMissing, remedy: "the token needs " + source(path) + ", which external_id is mapped to"}
		}
		return nil
	}
	id, ok := idText(value)
	if !ok {
		return &failure{code: CodeExternalIDInvalid, remedy: source(path) + " must be a text of at most 256 bytes without control characters, or an integer; it is " + shape(value)}
	}
	v.id.ExternalID = id
	return nil
}

func checkTokenID(v *verification) *failure {
	value, path, explicit := v.attribute(AttributeTokenID)
	if value == nil {
		if explicit {
			return &failure{code: CodeTokenIDMissing, remedy: "the token needs " + source(path) + ", which token_id is mapped to"}
		}
		v.id.TokenID = hexDigest(v.token.Digest())
		return nil
	}
	id, ok := idText(value)
	switch {
	case ok:
		v.id.TokenID = id
	case explicit || v.profile.config.ReplayReject:
		return &failure{code: CodeTokenIDInvalid, remedy: source(path) + " must be a text of at most 256 bytes without control characters, or an integer; it is " + shape(value)}
	default:
		v.drop(AttributeTokenID, "%s, so the token's digest names it", shape(value))
		v.id.TokenID = hexDigest(v.token.Digest())
	}
	return nil
}

func checkEmail(v *verification) *failure {
	value, _, _ := v.attribute(AttributeEmail)
	if value == nil {
		return nil
	}
	address, ok := boundedText(firstOf(value), email.MaxBytes)
	if !ok {
		v.drop(AttributeEmail, "%s, and not a text of at most %d bytes without control characters", shape(value), email.MaxBytes)
		return nil
	}
	yes, no := readEmailVerified(v.token.Claims)
	v.id.EmailVerified = yes && v.token.Claims["email"] == any(address) // the address that it is said of
	if covered, ok := v.profile.email.covers(address); ok && !no {
		v.id.Email, v.id.EmailCovered = covered, true
		return nil
	}
	v.id.UnverifiedEmail = address
	return nil
}

// checkIdentity asks for one thing that tells this person or machine from
// others: an external id, or an address the profile vouches for.
func checkIdentity(v *verification) *failure {
	if v.id.ExternalID != "" || v.id.EmailCovered {
		return nil
	}
	remedy := "map external_id to a claim that the token has"
	if v.id.UnverifiedEmail != "" {
		remedy += ", or cover the domain of its email in email_domains (email_verified must not be false)"
	}
	return &failure{code: CodeIdentityMissing, remedy: remedy}
}

func configuredIdentity(*Profile) string { return "an external id, or a covered email" }

func foundIdentity(v *verification) string {
	switch {
	case v.id.ExternalID != "":
		return "an external id"
	case v.id.EmailCovered:
		return "a covered email"
	case v.id.UnverifiedEmail != "":
		return "an email that is not covered"
	}
	return "neither"
}

func checkName(v *verification) *failure {
	value, _, mapped := v.attribute(AttributeName)
	if !mapped || value == nil {
		return nil
	}
	name, ok := cleanName(firstOf(value))
	if !ok {
		v.drop(AttributeName, "%s, and not a text", shape(value))
	}
	v.id.Name = name
	return nil
}

// checkRoles takes the roles that the profile lists and counts the others. A
// token without the claim gives none: many issuers leave the claim out for a
// person whose last group was taken away.
func checkRoles(v *verification) *failure {
	value, path, mapped := v.attribute(AttributeRoles)
	if !mapped {
		return nil
	}
	values, others, ok := v.profile.config.RolesForm.values(value)
	v.id.HasRoles = true
	v.id.Roles, v.id.DroppedRoles = v.profile.rolesOf(values)
	v.id.DroppedRoles += others
	switch {
	case !ok:
		v.drop(AttributeRoles, "%s, which gives nobody a role; map roles %s says how it is written: split, from_json, object_keys, field", shape(value), path)
	case len(values)+others > 0 && len(v.id.Roles) == 0:
		v.drop(AttributeRoles, "values: %d, of the listed ones: 0; nobody gets a role", len(values)+others)
	}
	return nil
}

// rolesOf are the roles that the values give, sorted, each once, and how many values
// give none.
func (p *Profile) rolesOf(values []string) (roles []string, dropped int) {
	for _, value := range values {
		given, listed := p.config.Roles[value]
		switch {
		case listed:
			roles = append(roles, given...)
		case p.config.AnyRole && p.Gives(value) && len(roles) < maxRoles:
			roles = append(roles, value)
		default:
			dropped++
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles), dropped
}

// maxRoles bounds the roles that a token may bring where any is taken.
const maxRoles = 100

// Gives tells whether the profile may give the role.
func (p *Profile) Gives(role string) bool {
	for _, given := range p.config.Roles {
		if slices.Contains(given, role) {
			return true
		}
	}
	return p.config.AnyRole && isRole(role) && !slices.Contains(p.config.ReservedRoles, role)
}

// isRole is the grammar of roles.
func isRole(text string) bool {
	return text != "" && len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._:-", r))
	})
}

func checkOrganization(v *verification) *failure {
	ref, f := v.profile.organization.render(v.token.Claims, v.captured)
	if f != nil {
		return f
	}
	v.id.Organization = ref
	return nil
}

func checkSessionKey(v *verification) *failure {
	for _, path := range v.profile.config.SessionKey {
		value := lookup(v.token.Claims, path)
		if value == nil {
			return &failure{code: CodeSessionKeyMissing, remedy: "the token needs claim " + path + ", which is part of session_key"}
		}
		text, ok := idText(value)
		if !ok {
			return &failure{code: CodeSessionKeyInvalid, remedy: source(path) + " must be a text of at most 256 bytes without control characters, or an integer; it is " + shape(value)}
		}
		v.id.SessionKey = append(v.id.SessionKey, text)
	}
	return nil
}
