package caddymodule

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// CopyClaim hands a claim to the upstream in a header, beside the JWT.
type CopyClaim struct {
	// A path in the route's JWT (`sub`, `session.roles`), else of `member`, `organization` or
	// `session` as claim templates have them (`member.email_address`).
	Claim string `json:"claim"`

	// The header: letters, digits and -.
	Header string `json:"header"`

	// How it is written: `text` (a text, number or boolean), `csv` (an array of them), `json`
	// or `base64url`. What does not have that form is left out. Default: text.
	Format string `json:"format,omitempty"`
}

// readCopyClaims reads `copy_claims <claim>><Header>... [text|csv|json|base64url]`.
func readCopyClaims(r *grammar.Reader, h *Attest) error {
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	format := ""
	if last := args[len(args)-1]; !strings.Contains(last, ">") {
		if !slices.Contains(authn.CopyFormats, last) {
			return r.Unrecognized("format", last, authn.CopyFormats...)
		}
		format, args = last, args[:len(args)-1]
	}
	if len(args) == 0 {
		return r.Wrong()
	}
	for _, text := range args {
		i := strings.LastIndexByte(text, '>')
		if i <= 0 || i == len(text)-1 {
			return r.Wrong()
		}
		h.CopyClaims = append(h.CopyClaims, CopyClaim{Claim: text[:i], Header: text[i+1:], Format: format})
	}
	return nil
}

func (h *Attest) copies() (list []authn.Copy) {
	for _, c := range h.CopyClaims {
		list = append(list, authn.Copy{Source: c.Claim, Header: c.Header, Format: c.Format})
	}
	return list
}
