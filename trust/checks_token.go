package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// parseRemedies are the remedies for a token that does not parse.
var parseRemedies = map[string]string{
	jose.CodeTooLarge:  "send a token of at most 16384 bytes",
	jose.CodeMalformed: "send a compact JWS: three parts with a dot between them, and nothing around it",
	jose.CodeEncoding:  "send base64url without padding, spaces and line breaks",
	jose.CodeEncrypted: "send a signed token (JWS); encrypted and compressed ones are not supported",
	jose.CodeHeader:    "the header must be a JSON object whose names stand there once",
	jose.CodePayload:   "the payload must be a JSON object whose names stand there once",
	jose.CodeAlgorithm: "the header needs alg, a text",
	jose.CodeNone:      "have the token signed: alg none proves nothing",
	jose.CodeCritical:  "the header asks for an extension (crit, b64) that is not supported",
	jose.CodeKeyID:     "kid in the header must be a text of at most 256 bytes",
	jose.CodeType:      "typ in the header must be a text",
}

func checkParse(v *verification) *failure {
	if v.token != nil {
		return nil // Set parsed it to find the profile
	}
	token, err := jose.Parse(v.raw)
	if err != nil {
		return parseFailure(err)
	}
	v.token = token
	return nil
}

func parseFailure(err error) *failure {
	var e *jose.ParseError
	if !errors.As(err, &e) {
		return &failure{code: jose.CodeMalformed, remedy: parseRemedies[jose.CodeMalformed]}
	}
	return &failure{code: e.Code, remedy: parseRemedies[e.Code]}
}

func describeParse(*Profile) string { return "a compact JWS of at most 16384 bytes" }

func foundToken(v *verification) string { return fmt.Sprintf("%d bytes", len(v.raw)) }

// checkType keeps tokens of other kinds out: a logout token or a security event
// is signed by the same key and for the same audience (RFC 8725 §3.11).
func checkType(v *verification) *failure {
	h, allowed := v.header(), v.profile.types
	if !h.HasType && allowed == nil || h.HasType && slices.Contains(v.profile.typesOrDefault(), typeName(h.Type)) {
		return nil
	}
	return &failure{code: CodeTypeNotAllowed, remedy: "send a token of another kind, or list this one's typ in types"}
}

// typeName compares media types: in any case, and "application/" may be left
// out (RFC 7515 §4.1.9).
func typeName(typ string) string {
	return strings.TrimPrefix(lowerASCII(typ), "application/")
}

func configuredTypes(p *Profile) string {
	if p.types == nil {
		return strings.Join(p.typesOrDefault(), ", ") + ", or none"
	}
	return strings.Join(p.types, ", ")
}

func foundType(v *verification) string {
	if !v.header().HasType {
		return absent
	}
	return printable(v.header().Type)
}

func checkAlgorithm(v *verification) *failure {
	if slices.Contains(v.profile.config.Algorithms, v.header().Algorithm) {
		return nil
	}
	remedy := "have the token signed with one of these algorithms, or list its own in algorithms"
	switch {
	case v.profile.shares():
		remedy = "this profile has a shared secret; have the token signed with one of these algorithms"
	case strings.HasPrefix(v.header().Algorithm, "HS"):
		remedy = "a shared secret signed this token; this profile has public keys and takes none (RFC 8725 §2.1)"
	}
	return &failure{code: CodeAlgorithmNotAllowed, remedy: remedy}
}

func configuredAlgorithms(p *Profile) string { return strings.Join(p.config.Algorithms, ", ") }

func foundAlgorithm(v *verification) string { return printable(v.header().Algorithm) }

func checkIssuer(v *verification) *failure {
	if c := v.profile.config; c.WithoutIssuer {
		if !v.profile.takesNoIssuer(v.token.Claims) {
			return &failure{code: CodeIssuerMismatch, remedy: "this profile takes tokens without iss only, whose sub begins with " + printable(c.SubjectPrefix)}
		}
		v.identifyIssuer("")
		return nil
	}
	said := lookup(v.token.Claims, "iss")
	if said == nil && v.profile.Introspects() {
		said = v.profile.config.Issuers[0] // who was asked (RFC 7662 §2.2: optional)
	}
	iss, ok := said.(string)
	if !ok {
		return &failure{code: CodeIssuerMissing, remedy: "the token needs claim iss, a text"}
	}
	captured, ok := v.profile.matchIssuer(iss)
	if !ok {
		return &failure{code: CodeIssuerMismatch, remedy: "the values must be equal byte for byte, also in scheme and trailing slash"}
	}
	for name, value := range captured {
		if said := lookup(v.token.Claims, name); said != nil && said != any(value) {
			return &failure{code: CodeCaptureMismatch, remedy: "claim " + name + " must be absent or equal to what stands for {" + name + "} in iss"}
		}
	}
	v.captured = captured
	v.identifyIssuer(iss)
	return nil
}

// identifyIssuer notes whose tokens these are: of the issuer, or of one installation there.
func (v *verification) identifyIssuer(iss string) {
	if claim := v.profile.config.SecretClaim; claim != "" {
		v.installation = installationOf(lookup(v.token.Claims, claim))
		iss += "#" + v.installation
	}
	v.id.Issuer, v.id.Namespace = iss, v.profile.Namespace(iss)
}

func configuredIssuers(p *Profile) string {
	if p.config.WithoutIssuer {
		return "none, sub beginning with " + printable(p.config.SubjectPrefix)
	}
	return strings.Join(p.config.Issuers, ", ")
}

func checkAudience(v *verification) *failure {
	held, ok := audiences(v.token.Claims, v.audienceClaim())
	if !ok {
		return &failure{code: CodeAudienceMissing, remedy: "the token needs claim " + v.profile.config.AudienceClaim + ", a text or an array of texts"}
	}
	if !v.profile.acceptsAudience(held) {
		return &failure{code: CodeAudienceMismatch, remedy: "ask the issuer for a token for this audience, or configure the token's own, byte for byte"}
	}
	return nil
}

// audienceClaim is aud, or as configured. An answer about a token without aud says for
// which client it was made (RFC 7662 §2.2).
func (v *verification) audienceClaim() string {
	claim := v.profile.config.AudienceClaim
	if v.profile.Introspects() && claim == "aud" && lookup(v.token.Claims, claim) == nil {
		return "client_id"
	}
	return claim
}

// audiences reads a claim that is a string or an array of strings (RFC 7519
// §4.1.3) and refuses any other, also an array that mixes.
func audiences(claims map[string]any, path string) ([]string, bool) {
	switch v := lookup(claims, path).(type) {
	case string:
		return []string{v}, true
	case []any:
		return stringArray(v)
	}
	return nil, false
}

func stringArray(list []any) ([]string, bool) {
	out := make([]string, len(list))
	for n, v := range list {
		text, ok := v.(string)
		if !ok {
			return nil, false
		}
		out[n] = text
	}
	return out, true
}

func configuredAudiences(p *Profile) string {
	return p.config.AudienceClaim + " holding " + strings.Join(p.config.Audiences, " or ")
}

func foundAudience(v *verification) string { return foundPath(v, v.audienceClaim()) }
