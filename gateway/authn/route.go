package authn

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/trust"
)

// A Route says who is admitted at one place of a site, and what the upstream behind
// it is told. The zero value admits nobody.
type Route struct {
	// Profiles are the names of the profiles whose tokens, and whose sessions, are
	// good here. A session made by another profile is not.
	Profiles []string

	// Any accepts every configured profile instead of those named.
	Any bool

	// Optional lets a request without a credential through as anonymous. A bad
	// credential is refused all the same.
	Optional bool

	// Require are what a session must have, all of them. They do not go with Optional.
	Require []Requirement

	// Audience is the aud of the JWT the upstream receives. By default, the issuer.
	Audience []string

	// Template names the claim template of the JWT. By default the template called
	// "default", where there is one.
	Template string

	// JWTLifetime is how long the injected JWT is good. Default: 60 s.
	JWTLifetime time.Duration

	// AccessToken makes the JWT an access token (RFC 9068), with Scope. Its client_id is that
	// of the trusted token (azp, client_id or cid, where they were kept), else the project
	// id, else the profile.
	AccessToken bool
	Scope       string

	// Copies are headers that the upstream receives beside the JWT.
	Copies []Copy

	// SetCookie hands the session cookie to a browser that arrives with a trusted
	// token.
	SetCookie bool
}

// A CompiledRoute is a route with defaults filled in and names resolved; see
// [Authenticator.Compile].
type CompiledRoute struct {
	Route
	profiles []string
	places   map[Place][]string // profiles by where they read tokens that admit
	// Second factors by where they are read, where that is a place of their own.
	secondPlaces map[Place][]string
	opaque       []string // of those in Authorization: whose issuer is asked about them
	template     *claims.Template
	audience     []string
	lifetime     time.Duration
	require      []requirement
	copies       [sha256.Size]byte // of Copies
	uncopied     uncopied
}

var errNoProfile = errors.New("authn: the route names no profile")

const accessTokenUnderCompat = "Stytch's SDKs take JWTs of typ JWT alone: at+jwt does not go with compat"

// Compile checks a route and resolves what it names. Every error names the option.
func (a *Authenticator) Compile(r Route) (*CompiledRoute, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if a.Compat && r.AccessToken {
		return nil, &ConfigError{"forward_jwt typ", accessTokenUnderCompat}
	}
	c := &CompiledRoute{Route: r, profiles: r.Profiles, audience: r.Audience, lifetime: orDefault(r.JWTLifetime, DefaultInjectedLifetime)}
	if r.Any {
		c.profiles = a.Profiles.Names()
	}
	if len(c.profiles) == 0 {
		return nil, errNoProfile
	}
	if err := a.Profiles.CheckRoute(c.profiles); err != nil {
		return nil, err
	}
	if err := r.CheckPlaces(a.Profiles, c.profiles); err != nil {
		return nil, err
	}
	c.copies = copiesDigest(r.Copies)
	c.places, c.secondPlaces = a.placesOf(c.profiles)
	c.opaque = a.Profiles.Opaque(c.places[Place{}])
	for _, q := range r.Require {
		compiled, err := q.compile()
		if err != nil {
			return nil, err
		}
		c.require = append(c.require, compiled)
	}
	if err := a.compileAudience(c); err != nil {
		return nil, err
	}
	t, err := a.template(r.Template)
	if err != nil {
		return nil, err
	}
	c.template = t
	return c, nil
}

// CheckPlaces refuses a route whose profiles, which are named, read tokens that a person
// brings once, and which gives the browser nothing to come back with. The error is a
// *ConfigError.
func (r Route) CheckPlaces(profiles *trust.Set, names []string) error {
	for place, of := range profiles.ByPlace(names) {
		if place.Navigated() && !r.SetCookie {
			return &ConfigError{"", fmt.Sprintf("profile %s reads its tokens from %s, each once, so that the route needs 'set_cookie'", of[0], place)}
		}
	}
	return nil
}

// at is what a request presents at the route: a Bearer that is neither a JWT nor of ours is
// the app's, unless a profile here introspects.
func (r *CompiledRoute) at(p Presented) Presented {
	if len(r.opaque) == 0 {
		p.Opaque = ""
	}
	return p
}

// Takes tells whether what stands in Authorization is a credential at the route.
func (r *CompiledRoute) Takes(p Presented) bool { return p.Bearer != "" || r.at(p).Opaque != "" }

// placesOf are the places of profiles: of those that may admit, and of second factors that
// are read from a place of their own. One in Authorization is refused, where it decides.
func (a *Authenticator) placesOf(names []string) (first, second map[Place][]string) {
	var admitting, seconds []string
	for _, name := range names {
		p, _ := a.Profiles.Profile(name)
		if c := p.Config(); c.Factor.SecondOnly && c.TokenFrom != (Place{}) {
			seconds = append(seconds, name)
		} else {
			admitting = append(admitting, name)
		}
	}
	return a.Profiles.ByPlace(admitting), a.Profiles.ByPlace(seconds)
}

// compileAudience keeps injected JWTs and API JWTs apart: only the latter carry the
// project id, which is what makes them a credential. Under compat upstreams verify
// with Stytch's SDKs, which want the project id first: the minter puts it there.
func (a *Authenticator) compileAudience(r *CompiledRoute) error {
	id := a.Project.ID
	switch {
	case a.Compat:
	case id != "" && slices.Contains(r.audience, id):
		return fmt.Errorf("authn: audience: %q is the project id, which would make the injected JWT a credential", id)
	case len(r.audience) == 0:
		r.audience = []string{a.Issuer}
	}
	return nil
}

func (a *Authenticator) template(name string) (*claims.Template, error) {
	if name == "" {
		return a.Templates["default"], nil
	}
	t, ok := a.Templates[name]
	if !ok {
		return nil, fmt.Errorf("authn: template %q is not defined", name)
	}
	return t, nil
}
