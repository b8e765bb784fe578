package authn

import (
	"errors"

	"github.com/attestgate/caddy-attest/trust"
)

// Place is where a request carries a trusted token.
type Place = trust.Place

// A Placed token stands in a place other than Authorization.
type Placed struct {
	Place Place
	Token string
}

var errTwoTokens = errors.New("two trusted tokens")

// placed is the one token that stands in a place of the route's, in a cookie or not;
// nil where there is none.
func (r *CompiledRoute) placed(list []Placed, cookie bool) (*Placed, error) {
	var found *Placed
	for i, t := range list {
		if _, ours := r.places[t.Place]; !ours || (t.Place.Cookie != "") != cookie {
			continue
		}
		if found != nil {
			return nil, Refuse("too_many_credentials", errTwoTokens)
		}
		found = &list[i]
	}
	return found, nil
}

// ambiguous is the refusal of a request whose credential cannot be told.
func (p Presented) ambiguous() error {
	if err := p.Unreadable(); err != nil {
		return err
	}
	return Refuse("too_many_credentials", p.Ambiguous)
}

// Unreadable is the refusal of a request that could not be read to its end for what may
// stand in it. It passes nowhere, also where no credential is asked for: what is left of it
// is not what was sent.
func (p Presented) Unreadable() error {
	var refused *Refusal
	if errors.As(p.Ambiguous, &refused) {
		return refused
	}
	return nil
}

// token is the one that a refusal is about.
func (p Presented) token() string {
	if p.Bearer == "" && p.Opaque == "" && len(p.Placed) > 0 {
		return p.Placed[0].Token
	}
	return p.Bearer + p.Opaque
}
