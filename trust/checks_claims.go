package trust

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/email"
)

func checkRequired(t *trial) *failure {
	for _, r := range t.profile.config.RequireClaims {
		v := lookup(t.token.Claims, r.Path)
		if v == nil {
			return &failure{code: CodeClaimMissing, remedy: "the token needs claim " + r.Path}
		}
		if text, ok := scalar(v); r.Value != "" && (!ok || text != r.Value) {
			return &failure{code: CodeClaimMismatch, remedy: "claim " + r.Path + " must be " + r.Value}
		}
	}
	return nil
}

func configuredRequired(p *Profile) string {
	var b []string
	for _, r := range p.config.RequireClaims {
		b = append(b, strings.TrimSuffix(r.Path+"="+r.Value, "="))
	}
	return list(b, "none")
}

func foundRequired(t *trial) string {
	var b []string
	for _, r := range t.profile.config.RequireClaims {
		b = append(b, r.Path+"="+foundPath(t, r.Path))
	}
	return list(b, "-")
}

// Bounds of what a token may say of somebody, in bytes.
const (
	maxID       = 256
	maxName     = 256
	maxMetadata = 4096 // of the compact JSON of one key
)

func checkExternalID(t *trial) *failure {
	path, explicit := t.profile.path(AttributeExternalID)
	v := lookup(t.token.Claims, path)
	if v == nil {
		if explicit {
			return &failure{code: CodeExternalIDMissing, remedy: "the token needs claim " + path + ", which external_id is mapped to"}
		}
		return nil
	}
	id, ok := boundedText(v, maxID)
	if !ok {
		return &failure{code: CodeExternalIDInvalid, remedy: "claim " + path + " must be a text of at most 256 bytes without control characters"}
	}
	t.id.ExternalID = id
	return nil
}

func checkTokenID(t *trial) *failure {
	path, explicit := t.profile.path(AttributeTokenID)
	v := lookup(t.token.Claims, path)
	if v == nil {
		if explicit {
			return &failure{code: CodeTokenIDMissing, remedy: "the token needs claim " + path + ", which token_id is mapped to"}
		}
		t.id.TokenID = hexDigest(t.token.Digest())
		return nil
	}
	id, ok := boundedText(v, maxID)
	if !ok {
		return &failure{code: CodeTokenIDInvalid, remedy: "claim " + path + " must be a text of at most 256 bytes without control characters"}
	}
	t.id.TokenID = id
	return nil
}

func checkEmail(t *trial) *failure {
	path, _ := t.profile.path(AttributeEmail)
	v := lookup(t.token.Claims, path)
	if v == nil {
		return nil
	}
	address, ok := boundedText(v, email.MaxBytes)
	if !ok {
		return &failure{code: CodeEmailInvalid, remedy: "claim " + path + " must be a text of at most 320 bytes without control characters"}
	}
	yes, no := verified(t.token.Claims)
	t.id.EmailVerified = yes
	if covered, ok := t.profile.email.covers(address); ok && !no {
		t.id.Email, t.id.EmailCovered = covered, true
		return nil
	}
	t.id.UnverifiedEmail = address
	return nil
}

// checkIdentity asks for one thing that tells this person or machine from
// others: an external id, or an address the profile vouches for.
func checkIdentity(t *trial) *failure {
	if t.id.ExternalID != "" || t.id.EmailCovered {
		return nil
	}
	remedy := "map external_id to a claim that the token has"
	if t.id.UnverifiedEmail != "" {
		remedy += ", or cover the domain of its email in email_domains (email_verified must not be false)"
	}
	return &failure{code: CodeIdentityMissing, remedy: remedy}
}

func configuredIdentity(*Profile) string { return "an external id, or a covered email" }

func foundIdentity(t *trial) string {
	switch {
	case t.id.ExternalID != "":
		return "an external id"
	case t.id.EmailCovered:
		return "a covered email"
	case t.id.UnverifiedEmail != "":
		return "an email that is not covered"
	}
	return "neither"
}

func checkName(t *trial) *failure {
	path, mapped := t.profile.path(AttributeName)
	v := lookup(t.token.Claims, path)
	if !mapped || v == nil {
		return nil
	}
	name, ok := boundedText(v, maxName)
	if !ok {
		return &failure{code: CodeNameInvalid, remedy: "claim " + path + " must be a text of at most 256 bytes without control characters"}
	}
	t.id.Name = name
	return nil
}

// checkRoles takes the roles that the profile lists and counts the others. A
// token without the claim gives none: many issuers leave the claim out for a
// person whose last group was taken away.
func checkRoles(t *trial) *failure {
	path, mapped := t.profile.path(AttributeRoles)
	if !mapped {
		return nil
	}
	values, ok := roleValues(lookup(t.token.Claims, path))
	if !ok {
		return &failure{code: CodeRolesInvalid, remedy: "claim " + path + " must be a text or an array of texts"}
	}
	t.id.HasRoles = true
	for _, value := range values {
		ours, listed := t.profile.config.Roles[value]
		if !listed {
			t.id.DroppedRoles++
		}
		t.id.Roles = append(t.id.Roles, ours...)
	}
	slices.Sort(t.id.Roles)
	t.id.Roles = slices.Compact(t.id.Roles)
	return nil
}

func roleValues(v any) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		return texts(v)
	}
	return nil, false
}

func checkOrganization(t *trial) *failure {
	ref, f := t.profile.organization.render(t.token.Claims, t.captured)
	if f != nil {
		return f
	}
	t.id.Organization = ref
	return nil
}

func checkSessionKey(t *trial) *failure {
	for _, path := range t.profile.config.SessionKey {
		v := lookup(t.token.Claims, path)
		if v == nil {
			return &failure{code: CodeSessionKeyMissing, remedy: "the token needs claim " + path + ", which is part of session_key"}
		}
		text, ok := boundedText(v, maxID)
		if !ok {
			return &failure{code: CodeSessionKeyInvalid, remedy: "claim " + path + " must be a text of at most 256 bytes without control characters"}
		}
		t.id.SessionKey = append(t.id.SessionKey, text)
	}
	return nil
}
