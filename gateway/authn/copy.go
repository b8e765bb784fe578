package authn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A Copy hands a claim to the upstream in a header of its own, beside the JWT.
type Copy struct {
	// Source is a path in the route's JWT, else of member, organization or session as claim
	// templates have them.
	Source string
	// Header is the name.
	Header string
	// Format is one of CopyFormats. Default: CopyText.
	Format string
}

// The formats of a Copy. What does not have the form of its format is left out: an
// upstream must not take one value for several, or a part of one for another.
const (
	CopyText      = "text"      // a text, number or boolean, of printable ASCII
	CopyCSV       = "csv"       // an array of them, none with a comma, quote or space around it
	CopyJSON      = "json"      // anything, compact and in ASCII
	CopyBase64URL = "base64url" // a text, or the JSON of anything else
)

// CopyFormats are the words for them.
var CopyFormats = []string{CopyText, CopyCSV, CopyJSON, CopyBase64URL}

// maxCopied bounds the values of one request together.
const maxCopied = 8 << 10

// A Copied claim is a header for the upstream.
type Copied struct{ Header, Value string }

func (c Copy) check() error {
	switch {
	case c.Source == "":
		return &ConfigError{"copy_claims", "expected <claim>><Header>"}
	case c.Format != "" && !slices.Contains(CopyFormats, c.Format):
		return &ConfigError{"copy_claims", "expected one of " + strings.Join(CopyFormats, ", ")}
	case !c.known():
		return &ConfigError{"copy_claims", "there is no '" + c.Source + "'; claim templates and the JWT have member, organization and session"}
	}
	return nil
}

// ofJWT are what a JWT of ours says of organization and session, by the first names.
var ofJWT = []string{"organization.organization_id", "organization.slug", "session.id", "session.started_at", "session.last_accessed_at", "session.expires_at", "session.roles", "session.authentication_factors"}

// known tells whether what is said of member, organization or session is one that there
// is; a claim of any other name may come from a template or a caller.
func (c Copy) known() bool {
	root, _, _ := strings.Cut(c.Source, ".")
	if !slices.Contains([]string{"member", "organization", "session"}, root) {
		return true
	}
	if slices.ContainsFunc(ofJWT, func(name string) bool { return c.Source == name || strings.HasPrefix(c.Source, name+".") }) {
		return true
	}
	_, err := claims.Policy{}.ParseTemplate("copy_claims", `{"x": {{ `+c.Source+` }}}`)
	return err == nil
}

// copiesDigest tells routes with other copies apart, whose JWT is the same.
func copiesDigest(copies []Copy) [sha256.Size]byte {
	if len(copies) == 0 {
		return [sha256.Size]byte{}
	}
	data, _ := json.Marshal(copies)
	return sha256.Sum256(data)
}

// copied are the headers of the route for a JWT that was just minted.
func (a *Authenticator) copied(r *CompiledRoute, live LiveSession, roles []string, first session.Factor, jwt string) ([]Copied, error) {
	if len(r.Copies) == 0 {
		return nil, nil
	}
	said, variables, size := trust.ClaimsOf(jwt), a.variables(live, roles, first), 0
	var list []Copied
	for _, c := range r.Copies {
		value := trust.Lookup(said, c.Source)
		if value == nil {
			value = trust.Lookup(variables, c.Source)
		}
		if value == nil {
			continue
		}
		text, err := c.text(value)
		if err != nil {
			r.uncopied.warn(a.Log, c, err)
			continue
		}
		if size += len(text); size > maxCopied {
			return nil, Refuse("copied_claims_too_large", unusable(live, errCopiedTooLarge))
		}
		list = append(list, Copied{c.Header, text})
	}
	return list, nil
}

// uncopied remembers which claims of a route were warned of: users choose what is in them,
// and so how often.
type uncopied struct{ warned sync.Map }

func (u *uncopied) warn(log *zap.Logger, c Copy, err error) {
	if _, before := u.warned.LoadOrStore(c, true); !before {
		log.Warn("a claim is not copied into its header; it is not warned of again", zap.String("claim", c.Source), zap.String("header", c.Header), zap.Error(err))
	}
}

var (
	errNoText         = errors.New("text takes a text, number or boolean of printable ASCII; json and base64url take anything")
	errNoList         = errors.New("csv takes an array of texts, numbers and booleans without comma, quote or space around them; json takes anything")
	errCopiedTooLarge = fmt.Errorf("authn: copy_claims: the headers have more than %d bytes", maxCopied)
)

func (c Copy) text(value any) (string, error) {
	switch c.Format {
	case CopyCSV:
		return csvOf(value)
	case CopyJSON:
		return asciiJSON(value)
	case CopyBase64URL:
		text, isText := value.(string)
		if !isText {
			data, err := json.Marshal(value)
			if err != nil {
				return "", err
			}
			text = string(data)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(text)), nil
	}
	text, ok := scalar(value)
	if !ok || !isHeaderText(text) {
		return "", errNoText
	}
	return text, nil
}

func csvOf(value any) (string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	texts := make([]string, len(list))
	for i, element := range list {
		text, ok := scalar(element)
		if !ok || text == "" || !isHeaderText(text) || strings.ContainsAny(text, `,"`) {
			return "", errNoList
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), nil
}

func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// isHeaderText tells texts that arrive as they were sent (RFC 9110 §5.5).
func isHeaderText(text string) bool {
	return text == strings.TrimSpace(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f })
}

// asciiJSON escapes what is not ASCII.
func asciiJSON(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range string(data) {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String(), nil
}
