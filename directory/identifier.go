package directory

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	organizationPrefix = "organization-"
	memberPrefix       = "member-"

	maxSubject   = 256 // bytes of a token's external id
	maxReference = 128 // bytes of an external id or slug that the API takes
	maxText      = 320 // bytes of a name or an unverified address
	maxName      = 128 // characters of an organization's name
	maxLabel     = 180 // bytes of the name of a profile or namespace; it is part of a key
	maxRole      = 128 // bytes of a role
	maxRoles     = 100 // roles from one source
)

// isName holds for names of profiles and namespaces.
func isName(text string) bool {
	if text == "" || len(text) > maxLabel || text[0] == '_' || text[0] == '-' {
		return false
	}
	return every(text, func(c byte) bool {
		return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
	})
}

// isExternalReference holds for external ids of organizations and for those the
// API gives to members.
func isExternalReference(text string) bool {
	return text != "" && len(text) <= maxReference && every(text, func(c byte) bool {
		return isAlphanumeric(c) || strings.IndexByte("._:@|-", c) >= 0
	})
}

// isSlug holds for slugs.
func isSlug(text string) bool {
	return len(text) >= 2 && len(text) <= maxReference && every(text, isSlugByte)
}

func isSlugByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0
}

// isConfiguredID holds for ids of configured organizations: they name a
// partition of the store.
func isConfiguredID(text string) bool {
	return text != "" && len(text) <= maxReference && every(text, isSlugByte)
}

// isSubject holds for external ids from tokens. They are only compared, so any
// script will do.
func isSubject(text string) bool {
	return len(text) <= maxSubject && isPrintable(text)
}

func isOrganizationName(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= maxName && isPrintable(text)
}

// displayText is text that people read, or nothing where it is not fit to print.
func displayText(text string) string {
	if len(text) > maxText || !isPrintable(text) {
		return ""
	}
	return text
}

func isPrintable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}

// roleSet is the roles sorted, each once. A role is opaque text without control
// characters.
func roleSet(roles []string) ([]string, error) {
	switch {
	case len(roles) == 0:
		return nil, nil
	case len(roles) > maxRoles:
		return nil, errTooManyRoles
	}
	for _, role := range roles {
		if role == "" || len(role) > maxRole || !isPrintable(role) {
			return nil, errRole.because("role_not_allowed")
		}
	}
	return sortedSet(slices.Clone(roles)), nil
}

// looksGenerated holds for text that could be an id of ours. Nobody may choose
// such a text for a reference: a record deleted or not yet made would be meant.
func looksGenerated(text, prefix string) bool {
	if !strings.HasPrefix(text, prefix) || len(text) < len(prefix)+36 {
		return false
	}
	_, err := uuid.Parse(text[len(text)-36:])
	return err == nil
}

// newID makes an id that was never given and never will be.
func (d *Directory) newID(prefix string) (string, error) {
	id, err := uuid.NewRandomFromReader(d.random)
	return prefix + id.String(), err
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func every(text string, allowed func(byte) bool) bool {
	for i := 0; i < len(text); i++ {
		if !allowed(text[i]) {
			return false
		}
	}
	return true
}

func isNoName(text string) bool { return !isName(text) }
