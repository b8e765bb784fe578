package trust

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const (
	absent       = "absent"
	maxPrintable = 128 // bytes of a value that a finding shows
)

// printable makes text from a token safe for a log line: quoted where it holds more
// than printable characters, and at most maxPrintable bytes of it.
func printable(text string) string {
	if len(text) > maxPrintable {
		text = strings.ToValidUTF8(text[:maxPrintable], "") + "…"
	}
	if quoted := strconv.Quote(text); text == "" || quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

// foundPath shows a claim as it stands in the token.
func foundPath(v *verification, path string) string {
	return printableValue(lookup(v.token.Claims, path))
}

func printableValue(v any) string {
	if v == nil {
		return absent
	}
	if text, ok := v.(string); ok {
		return printable(text)
	}
	data, err := strictjson.Marshal(v)
	if err != nil {
		return absent
	}
	return truncated(string(data))
}

func truncated(text string) string {
	if len(text) > maxPrintable {
		return strings.ToValidUTF8(text[:maxPrintable], "") + "…"
	}
	return text
}

func foundClaim(path string) func(*verification) string {
	return func(v *verification) string { return foundPath(v, path) }
}

func foundMapping(attribute string) func(*verification) string {
	return func(v *verification) string {
		value, path, _ := v.attribute(attribute)
		if path == "" {
			return "-"
		}
		return printableValue(value)
	}
}

func configuredMapping(attribute string) func(*Profile) string {
	return func(p *Profile) string {
		path, _ := p.attributePath(attribute)
		if path == "" {
			return "not mapped"
		}
		return source(path)
	}
}

// source names what an attribute is read from: a claim, or an expression as it stands.
func source(path string) string {
	if strings.HasPrefix(path, "expression ") {
		return path
	}
	return "claim " + path
}

func configuredEmail(p *Profile) string {
	return configuredMapping(AttributeEmail)(p) + "; covered: " + joinOr(p.email.domains, "none")
}

func configuredRoles(p *Profile) string {
	return configuredMapping(AttributeRoles)(p) + "; listed: " + joinOr(slices.Sorted(maps.Keys(p.config.Roles)), "none")
}

func configuredOrganization(p *Profile) string {
	if p.organization.isEmpty() {
		return "named by the caller"
	}
	return p.config.Organization
}

func foundOrganization(v *verification) string {
	o := v.profile.organization
	if o.isFixed() {
		return "-"
	}
	var b []string
	for _, path := range o.paths {
		value, captured := v.captured[path]
		if !captured {
			value = foundPath(v, path)
		}
		b = append(b, path+"="+value)
	}
	return joinOr(b, "-")
}

func configuredSessionKey(p *Profile) string { return joinOr(p.config.SessionKey, "the token itself") }

func foundSessionKey(v *verification) string {
	var b []string
	for _, path := range v.profile.config.SessionKey {
		b = append(b, path+"="+foundPath(v, path))
	}
	return joinOr(b, "-")
}

func joinOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

func hexDigest(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
