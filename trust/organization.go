package trust

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// maxOrganization is the longest reference to an organization, in characters.
const maxOrganization = 128

// organizationTemplate is a parsed Config.Organization: literals and claim paths
// alternate, literal first.
type organizationTemplate struct {
	literals []string
	paths    []string
}

const claimPlaceholder = "{claims."

func parseOrganization(text string) (o organizationTemplate, err error) {
	for rest := text; ; {
		literal, after, found := strings.Cut(rest, "{")
		if !hasOrganizationCharacters(literal) {
			return o, errors.New("may hold A–Z a–z 0–9 . _ : @ | - and {claims.path}")
		}
		o.literals = append(o.literals, literal)
		if !found {
			return o, o.check(text)
		}
		path, next, closed := strings.Cut(after, "}")
		path, ours := strings.CutPrefix("{"+path, claimPlaceholder)
		if !closed || !ours || path == "" {
			return o, errors.New("a placeholder is spelled {claims.path}")
		}
		o.paths = append(o.paths, path)
		rest = next
	}
}

func (o organizationTemplate) check(text string) error {
	if o.isFixed() && len(text) > maxOrganization {
		return errors.New("must have at most 128 characters")
	}
	return nil
}

// isFixed tells that no part of the text comes from a token.
func (o organizationTemplate) isFixed() bool { return len(o.paths) == 0 }

func (o organizationTemplate) isEmpty() bool { return o.isFixed() && o.literals[0] == "" }

// beginsWithCaptures tells whether no two values of the captures can give the same
// organization: the captures come first, each ended by the end of the text or by a
// character that no captured value has. Whatever other claims follow, the value then
// begins with the captures. secret is that of them which names a secret, and may hold . and
// _ too.
func (o organizationTemplate) beginsWithCaptures(captures []string, secret string) bool {
	if len(o.paths) < len(captures) {
		return false
	}
	for n, path := range o.paths[:len(captures)] {
		if !slices.Contains(captures, path) || slices.Contains(o.paths[:n], path) {
			return false
		}
		next := o.literals[n+1]
		if last := n+1 == len(o.paths); next == "" && !last || next != "" && (inCapture(next[0]) || path == secret && strings.ContainsRune("._", rune(next[0]))) {
			return false
		}
	}
	return true
}

// render makes the reference from a token's claims. A name that the issuer captured
// stands for the captured value.
func (o organizationTemplate) render(claims map[string]any, captured map[string]string) (OrganizationRef, *failure) {
	if o.isFixed() {
		return OrganizationRef{Value: o.literals[0], Fixed: !o.isEmpty()}, nil
	}
	var b strings.Builder
	b.WriteString(o.literals[0])
	for n, path := range o.paths {
		value, f := organizationValue(path, claims, captured)
		if f != nil {
			return OrganizationRef{}, f
		}
		b.WriteString(value)
		b.WriteString(o.literals[n+1])
	}
	if b.Len() > maxOrganization {
		return OrganizationRef{}, &failure{code: CodeOrganizationInvalid, remedy: "the organization's name comes to more than 128 characters"}
	}
	return OrganizationRef{Value: b.String()}, nil
}

func organizationValue(path string, claims map[string]any, captured map[string]string) (string, *failure) {
	if value, found := captured[path]; found {
		return value, nil
	}
	v := lookup(claims, path)
	if v == nil {
		return "", &failure{code: CodeOrganizationMissing, remedy: "the token needs claim " + path + " to name its organization"}
	}
	text, ok := scalarText(v)
	if !ok || len(text) > maxOrganization || !hasOrganizationCharacters(text) {
		return "", &failure{code: CodeOrganizationInvalid, remedy: "claim " + path + " must be a text, number or boolean of at most 128 characters from A–Z a–z 0–9 . _ : @ | -"}
	}
	return text, nil
}

func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func hasOrganizationCharacters(text string) bool {
	for n := range len(text) {
		if c := text[n]; !inCapture(c) && !strings.ContainsRune("._:@|", rune(c)) {
			return false
		}
	}
	return true
}
