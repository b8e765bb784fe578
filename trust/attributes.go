package trust

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Claims are read as issuers write them. What cannot be read as an attribute is left
// out, and that is told (Identity.Dropped): only an external id, and what RequireClaims
// names, refuse a token.

// idText is an id: a text, or an integer by its exact digits, as it stands in the token.
func idText(v any) (string, bool) {
	if n, ok := v.(json.Number); ok {
		return string(n), isInteger(string(n))
	}
	return boundedText(v, maxID)
}

// isInteger tells a number without fraction, exponent and negative zero, of at most
// maxID digits.
func isInteger(number string) bool {
	digits := strings.TrimPrefix(number, "-")
	return len(number) <= maxID && number != "-0" && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// firstOf is the first element of an array, and any other value itself: issuers write
// an attribute of which a person may have several as an array.
func firstOf(v any) any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return v
}

// cleanName is a text for display: without control characters, of at most maxName bytes.
func cleanName(v any) (string, bool) {
	text, ok := v.(string)
	if !ok {
		return "", false
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	return strings.TrimSpace(strings.ToValidUTF8(text[:min(len(text), maxName)], "")), true
}

// A RolesForm says how the mapped roles claim is written where it is no text and no
// array of texts and numbers. At most one of them is set.
type RolesForm struct {
	// Split separates the roles in a text.
	Split string `json:"split,omitempty"`
	// FromJSON takes the text for JSON.
	FromJSON bool `json:"from_json,omitempty"`
	// ObjectKeys takes the names of an object.
	ObjectKeys bool `json:"object_keys,omitempty"`
	// Field is the member of each object of an array that names a role.
	Field string `json:"field,omitempty"`
}

// values are the roles of a claim, and how many of its values are none. It answers
// false where the claim does not have the form.
func (f RolesForm) values(v any) (roles []string, others int, ok bool) {
	switch text, isText := v.(string); {
	case v == nil:
		return nil, 0, true
	case f.Split != "" && isText:
		return slices.DeleteFunc(strings.Split(text, f.Split), func(s string) bool { return s == "" }), 0, true
	case f.FromJSON && isText:
		parsed, err := strictjson.Parse([]byte(text))
		if err != nil {
			return nil, 0, false
		}
		return RolesForm{}.values(nonEmpty(parsed))
	case f.ObjectKeys:
		object, isObject := v.(map[string]any)
		return slices.Sorted(maps.Keys(object)), 0, isObject
	case isText:
		return []string{text}, 0, f.Field == ""
	}
	list, isList := v.([]any)
	for _, element := range list {
		if object, isObject := element.(map[string]any); f.Field != "" && isObject {
			element = object[f.Field]
		}
		if role, readable := roleText(element); readable {
			roles = append(roles, role)
		} else {
			others++
		}
	}
	return roles, others, isList
}

func roleText(v any) (string, bool) {
	if n, ok := v.(json.Number); ok {
		return string(n), true
	}
	text, ok := v.(string)
	return text, ok
}

// attribute is the claim that an attribute is read from, nil where it is absent; where it
// stands; and whether the profile maps it.
func (v *verification) attribute(name string) (value any, path string, explicit bool) {
	path, explicit = v.profile.attributePath(name)
	if e := v.profile.mapped[name]; e != nil {
		value, _ = e.Value(claimsOf(v.token.Claims))
		return nonEmpty(value), path, true
	}
	return lookup(v.token.Claims, path), path, explicit
}

// drop notes that a claim is not taken for an attribute.
func (v *verification) drop(attribute, format string, args ...any) {
	path, _ := v.profile.attributePath(attribute)
	v.id.Dropped = append(v.id.Dropped, attribute+" from "+path+": "+fmt.Sprintf(format, args...))
}

// shape names what a claim is, and not what it says.
func shape(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > maxID {
			return fmt.Sprintf("a text of %d bytes", len(v))
		}
		return "a text"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "an object"
	}
	return "nothing"
}
