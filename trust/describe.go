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
	absent   = "absent"
	maxShown = 128 // bytes of a value that a finding shows
)

// shown is a stranger's text fit for a line: quoted where it is not plain, and
// cut.
func shown(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	if quoted := strconv.Quote(text); text == "" || quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

// foundPath shows a claim as it stands in the token.
func foundPath(t *trial, path string) string { return shownValue(lookup(t.token.Claims, path)) }

func shownValue(v any) string {
	if v == nil {
		return absent
	}
	if text, ok := v.(string); ok {
		return shown(text)
	}
	data, err := strictjson.Marshal(v)
	if err != nil {
		return absent
	}
	return shownJSON(string(data))
}

func shownJSON(text string) string {
	if len(text) > maxShown {
		return strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

func foundClaim(path string) func(*trial) string {
	return func(t *trial) string { return foundPath(t, path) }
}

func foundMapped(attribute string) func(*trial) string {
	return func(t *trial) string {
		path, _ := t.profile.path(attribute)
		if path == "" {
			return "-"
		}
		return foundPath(t, path)
	}
}

func configuredMap(attribute string) func(*Profile) string {
	return func(p *Profile) string {
		path, _ := p.path(attribute)
		if path == "" {
			return "not mapped"
		}
		return "claim " + path
	}
}

func configuredEmail(p *Profile) string {
	return configuredMap(AttributeEmail)(p) + "; covered: " + list(p.email.domains, "none")
}

func configuredRoles(p *Profile) string {
	return configuredMap(AttributeRoles)(p) + "; listed: " + list(slices.Sorted(maps.Keys(p.config.Roles)), "none")
}

func configuredOrganization(p *Profile) string {
	if p.organization.empty() {
		return "named by the caller"
	}
	return p.config.Organization
}

func foundOrganization(t *trial) string {
	o := t.profile.organization
	if o.fixed() {
		return "-"
	}
	var b []string
	for _, path := range o.paths {
		value, captured := t.captured[path]
		if !captured {
			value = foundPath(t, path)
		}
		b = append(b, path+"="+value)
	}
	return list(b, "-")
}

func configuredSessionKey(p *Profile) string { return list(p.config.SessionKey, "the token itself") }

func foundSessionKey(t *trial) string {
	var b []string
	for _, path := range t.profile.config.SessionKey {
		b = append(b, path+"="+foundPath(t, path))
	}
	return list(b, "-")
}

func list(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

func hexDigest(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
