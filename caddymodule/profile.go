package caddymodule

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/trust"
)

// Profile is an issuer that the gateway trusts, and how far: which of its tokens
// are good, what they say about a person, and what they may bring about.
type Profile struct {
	// The preset that the profile begins with. A Caddyfile writes its lines into the fields
	// below, where they are not given; its conditions hold whatever stands there. See
	// `caddy attest preset`. Default: none.
	Preset *Preset `json:"preset,omitempty"`

	// The values of `iss` that tokens may have, compared byte for byte. One may
	// hold captures, https://login.microsoftonline.com/{tid}/v2.0: each stands for
	// 1 to 64 of A–Z a–z 0–9 -. With several values, or a capture, a person of one
	// issuer is never a person of another.
	// Default with dev: urn:attest:dev:<profile name>; else it must be set.
	Issuers []string `json:"issuers,omitempty"`

	// Accept tokens without `iss`, and none that has one; issuers is empty then. Of a route's
	// profiles with one audience only one may, unless the prefixes of `sub` differ.
	// Default: false.
	WithoutIssuer bool `json:"without_issuer,omitempty"`

	// What the `sub` of a token without `iss` must begin with. Default: anything.
	SubjectPrefix string `json:"subject_prefix,omitempty"`

	// The audiences of which a token must name at least one, compared byte for
	// byte. Default with dev: urn:attest:dev; else it must be set.
	Audiences []string `json:"audiences,omitempty"`

	// The claim that names the audience. Default: aud.
	AudienceClaim string `json:"audience_claim,omitempty"`

	// Where proxied requests carry the token. It is removed there from every request, on
	// every route. Default: Authorization: Bearer.
	TokenFrom *TokenFrom `json:"token_from,omitempty"`

	// Where the keys are published. Exactly one of jwks_url, jwks_file,
	// public_key_files and dev is set.
	JWKSURL *JWKSURL `json:"jwks_url,omitempty"`

	// The issuer whose OpenID configuration says where the keys are, with the options of
	// jwks_url. It is also the one issuer, where none is given.
	Discover *JWKSURL `json:"discover,omitempty"`

	// Where the issuer is asked about each token, which says nothing itself. Answers are
	// remembered for a while; a token that was revoked meanwhile is good until then.
	Introspect *Introspect `json:"introspect,omitempty"`

	// A file that holds the keys as a JWK set.
	JWKSFile string `json:"jwks_file,omitempty"`

	// PEM files, each with public keys or certificates. A private key is refused.
	PublicKeyFiles []string `json:"public_key_files,omitempty"`

	// Secrets that the issuer has too, the newest first, 32 bytes or more each: whoever has
	// one can sign any token of this profile. Placeholders are replaced.
	SharedSecrets []string `json:"shared_secrets,omitempty"`

	// A directory of such secrets, one for each installation of an app.
	SecretFiles *SecretFiles `json:"shared_secret_files,omitempty"`

	// DANGEROUS outside a developer's machine: a key pair that is made in Caddy's
	// storage and with which `caddy attest mint` signs whatever it is asked. The
	// configuration loads only if every HTTP listener is loopback.
	// Default: false.
	Dev bool `json:"dev,omitempty"`

	// The signature algorithms that tokens may use: RS256, RS384, RS512, PS256,
	// PS384, PS512, ES256, ES384, ES512, EdDSA.
	// Default: all of them but PS256, PS384 and PS512.
	Algorithms []string `json:"algorithms,omitempty"`

	// The values that the header `typ` must have, without regard to case; other
	// kinds of JWT (logout tokens, events, proofs) are refused.
	// Default: JWT, at+jwt, or no typ at all.
	Types []string `json:"types,omitempty"`

	// How far the issuer's clock may be off, at most 60s. Default: 60s.
	Leeway *caddy.Duration `json:"leeway,omitempty"`

	// How long after its `iat` a token is good, however late its `exp`. Tokens
	// without `iat` are then refused. Default: 0, until exp.
	MaxTokenAge caddy.Duration `json:"max_token_age,omitempty"`

	// The longest time from `iat`, else from now, to `exp` that a token may claim
	// for itself. Default: 24h.
	MaxLifetime caddy.Duration `json:"max_lifetime,omitempty"`

	// For how long the last good key set is used while jwks_url does not answer;
	// 0 is not at all. Default: 24h.
	StaleKeys *caddy.Duration `json:"stale_keys,omitempty"`

	// Claims that a token must have, all of them. Default: none beyond exp.
	RequireClaims []RequiredClaim `json:"require_claims,omitempty"`

	// Conditions on the claims, all of which must hold: CEL over the variable claims. One
	// that cannot be evaluated for a token, for lack of a claim that it names, refuses it.
	// Default: none.
	When []string `json:"when,omitempty"`

	// CEL expressions in place of a claim path, by attribute. One that has no value for a
	// token is a claim that is absent. Default: none.
	MapExpressions map[string]string `json:"map_expressions,omitempty"`

	// Which claim says what: keys are the attributes `email`, `token_id`,
	// `external_id`, `name`, `roles` and `trusted_metadata.<key>`, values are
	// claim paths (an exact top-level name, else names joined by dots).
	// Default: external_id from sub, email from email, token_id from jti; an
	// entry here replaces that one.
	Map map[string]string `json:"map,omitempty"`

	// Which roles the values of the mapped roles claim give. Values that are not
	// listed give none. Default: no roles.
	Roles map[string][]string `json:"roles,omitempty"`

	// How the mapped roles claim is written: a text to `split`, JSON in a text
	// (`from_json`), the names of an object (`object_keys`), or a `field` of each object
	// of an array. Default: a text, or an array of texts and numbers.
	RolesForm trust.RolesForm `json:"roles_form,omitzero"`

	// Let every value that has the form of a role give the role of its name, but none
	// that a role block names, unless it is listed. One issuer without captures only.
	// Default: false.
	AnyRole bool `json:"any_role,omitempty"`

	// The email domains that the issuer speaks for, lower case and whole: only an
	// address in one of them identifies a person. `*` alone is every domain.
	// Default: none, emails of this issuer identify nobody.
	EmailDomains []string `json:"email_domains,omitempty"`

	// DANGEROUS if the issuer lets people choose their address: treat covered
	// addresses as verified although the token has no `email_verified: true`.
	// Default: false.
	AssumeEmailVerified bool `json:"assume_email_verified,omitempty"`

	// Whose external ids these are. Profiles with one namespace call the same
	// person by the same id. `own` is the profile's name, `api` that of API callers.
	// Default: own; with compat and one profile api, where ids of the profile's own
	// from before are found too.
	Namespace string `json:"namespace,omitempty"`

	// The organization of a token: a plain text names a configured organization
	// by its id, else one by its external id; a text with {claims.<path>} names
	// one by external id only. Default: tokens name none, so that the caller of
	// the session API must.
	Organization string `json:"organization,omitempty"`

	// What tokens may bring into being. Default: nothing.
	Create *Create `json:"create,omitempty"`

	// What a token of this profile proves. Default: a factor of type
	// trusted_auth_token that can stand first and counts while the session lives.
	Factor *Factor `json:"factor,omitempty"`

	// Admit nobody by this profile, and record in log and metrics what would become of its
	// tokens. Default: false.
	Observe bool `json:"observe,omitempty"`

	// Take each token id once: a second use at the session API is refused (but the same call
	// within five seconds has the same answer), and proxied requests go on with the same
	// token only. Default: false.
	ReplayReject bool `json:"replay_reject,omitempty"`

	// The claims, by path, whose values together name one session of the proxy's:
	// tokens that agree in all of them share it. For issuers whose tokens live
	// shorter than a visit. Default: none, a session per token.
	SessionKey []string `json:"session_key,omitempty"`

	// Limits of the sessions that the proxy starts from this profile's tokens.
	Session *ProfileSession `json:"session,omitempty"`

	// Where the profile begins in a Caddyfile, for errors that are found when the
	// configuration is loaded; the adapter writes it. Default: unknown.
	Source string `json:"source,omitempty"`
}

// trusted is the profile as a trust.Config, without its keys.
func (p *Profile) trusted(name string) trust.Config {
	c := trust.Config{
		Name:                name,
		Issuers:             p.issuers(name),
		WithoutIssuer:       p.WithoutIssuer,
		SubjectPrefix:       p.SubjectPrefix,
		Audiences:           p.audiences(),
		AudienceClaim:       p.AudienceClaim,
		Algorithms:          p.Algorithms,
		Types:               p.Types,
		Leeway:              orNone(p.Leeway),
		MaxTokenAge:         time.Duration(p.MaxTokenAge),
		MaxLifetime:         time.Duration(p.MaxLifetime),
		When:                p.When,
		Map:                 p.Map,
		MapExpressions:      p.MapExpressions,
		Roles:               p.Roles,
		RolesForm:           p.RolesForm,
		AnyRole:             p.AnyRole,
		EmailDomains:        p.EmailDomains,
		AssumeEmailVerified: p.AssumeEmailVerified,
		Namespace:           p.Namespace,
		Organization:        p.Organization,
		SessionKey:          p.SessionKey,
		ReplayReject:        p.ReplayReject,
		Observe:             p.Observe,
		Dev:                 p.Dev,
	}
	c.Conditions = p.conditions()
	if f := p.SecretFiles; f != nil {
		c.SecretClaim = f.Claim
	}
	if f := p.TokenFrom; f != nil {
		c.TokenFrom = f.place()
	}
	for _, r := range p.RequireClaims {
		c.RequireClaims = append(c.RequireClaims, trust.RequiredClaim{Path: r.Claim, Value: r.Value})
	}
	if f := p.Factor; f != nil {
		c.Factor = trust.Factor{Type: f.Type, SecondOnly: f.SecondOnly, ValidFor: time.Duration(f.ValidFor), Proved: f.Proved}
	}
	if s := p.Session; s != nil {
		c.SessionDuration, c.SessionIdle = time.Duration(s.Duration), time.Duration(s.Idle)
	}
	if create := p.Create; create != nil {
		c.Public = create.Public
		c.CreateMembers, c.CreateMembersPerHour = create.Members, create.MembersPerHour
		c.CreateOrganizations, c.CreateOrganizationsPerHour = create.Organizations, create.OrganizationsPerHour
	}
	return c
}

// remote is where a profile's keys are published, for package trust.
func (p *Profile) remote() (trust.RemoteConfig, error) {
	u := p.keysURL()
	c, err := u.remote()
	c.StaleFor = orNone(p.StaleKeys)
	if p.Discover != nil {
		c.URL, c.Discover = "", u.URL
	}
	return c, err
}

// remote is config with what is read from files.
func (u *JWKSURL) remote() (trust.RemoteConfig, error) {
	c := u.config()
	c.URL = u.URL
	var noCA, noPair error
	if u.CA != "" {
		c.CA, noCA = os.ReadFile(u.CA)
	}
	if u.ClientCert != "" {
		c.Certificate, noPair = readPair(u.ClientCert, u.ClientKey)
	}
	return c, errors.Join(noCA, noPair)
}

// readPair reads a certificate and its key. The error names the files alone.
func readPair(cert, key string) (*tls.Certificate, error) {
	certPEM, noCert := os.ReadFile(cert)
	keyPEM, noKey := os.ReadFile(key)
	if err := errors.Join(noCert, noKey); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no certificate and its key", cert, key)
	}
	return &pair, nil
}

// keysURL is where the keys are, or are said to be; nil where they are not fetched.
func (p *Profile) keysURL() *JWKSURL {
	if p.Discover != nil {
		return p.Discover
	}
	return p.JWKSURL
}

// config is all but what is read from files.
func (u *JWKSURL) config() trust.RemoteConfig {
	c := trust.RemoteConfig{AllowPrivate: u.AllowPrivate, AllowHTTP: u.AllowHTTP}
	if u.Bearer != "" {
		c.Bearer = func() (string, error) { return readTrimmed(u.Bearer) }
	}
	if proxy, err := url.Parse(u.Proxy); err == nil && u.Proxy != "" {
		c.Proxy = proxy
	}
	for name, value := range u.Headers {
		if c.Header == nil {
			c.Header = http.Header{}
		}
		c.Header.Set(name, value)
	}
	return c
}

// orNone is a duration whose default is not 0: trust.Config takes 0 for the
// default, and less for none.
func orNone(d *caddy.Duration) time.Duration {
	switch {
	case d == nil:
		return 0
	case *d == 0:
		return -1
	}
	return time.Duration(*d)
}

// JWKSURL is a published key set.
type JWKSURL struct {
	// The address: https, or http on loopback.
	URL string `json:"url"`

	// A file with a token to present as `Authorization: Bearer`; it is read anew
	// for every fetch. Default: none.
	Bearer string `json:"bearer,omitempty"`

	// A PEM file with the certificate authorities to trust for this address.
	// Default: the system's.
	CA string `json:"ca,omitempty"`

	// Headers to send, by name. Placeholders are replaced in the values. Default: none.
	Headers map[string]string `json:"headers,omitempty"`

	// PEM files with the certificate to show and with its key. Default: none.
	ClientCert string `json:"client_cert,omitempty"`
	ClientKey  string `json:"client_key,omitempty"`

	// The proxy that connects to the address: an http or https URL. Default: none, whatever
	// the environment says.
	Proxy string `json:"proxy,omitempty"`

	// Allow the address to lead to a private network; metadata services of clouds stay
	// refused. Default: false, loopback addresses only where the URL itself names loopback.
	AllowPrivate bool `json:"allow_private,omitempty"`

	// DANGEROUS: let the URL be http, to a host whose addresses are all private or loopback.
	// Whoever is on the way can then forge every token. Default: false.
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// TokenFrom is where requests carry a token: a header, a cookie, the query of a page or a
// form.
type TokenFrom struct {
	// The name of a header.
	Header string `json:"header,omitempty"`

	// The word that stands before the token in that header. Default: none.
	Scheme string `json:"scheme,omitempty"`

	// The name of a cookie. What a browser sends by itself needs a request of the site's own
	// pages where it may change something.
	Cookie string `json:"cookie,omitempty"`

	// The name of a parameter in the address of a page. It is removed from the query of every
	// request. Such a token is taken once, from a person who goes to the page; the browser
	// gets the session cookie and is sent to the same page without it. It needs
	// replay_reject and a max_token_age of a minute at most, and set_cookie on the route.
	Query string `json:"query,omitempty"`

	// The name of a field in a form that a page of another site posts. What is said of query
	// holds; the form is 64 KiB at most and loses the field on every route.
	Form string `json:"form,omitempty"`

	// The paths at which query and form are read, as they are sent.
	Paths []string `json:"paths,omitempty"`

	// The origins whose pages may post the form: https://example.com.
	Origins []string `json:"origins,omitempty"`
}

// place is what package trust compares. What would be two texts there is refused as one.
func (f *TokenFrom) place() trust.Place {
	return trust.Place{
		Header: f.Header, Scheme: f.Scheme, Cookie: f.Cookie, Query: f.Query, Form: f.Form,
		At: words(f.Paths), From: words(f.Origins),
	}
}

// words joins texts; one with a space in it stays recognizable as what it is not.
func words(texts []string) string {
	joined := make([]string, len(texts))
	for i, text := range texts {
		if joined[i] = strings.ReplaceAll(text, " ", "%20"); text == "" {
			joined[i] = "%20"
		}
	}
	return strings.Join(joined, " ")
}

// RequiredClaim is a claim that a token must have.
type RequiredClaim struct {
	// The claim's path.
	Claim string `json:"claim"`

	// The value it must have: a string of that text, or a number or boolean
	// written so. Default: any but null and the empty ones.
	Value string `json:"value,omitempty"`
}

// Create says what tokens of a profile may bring into being, and how fast.
type Create struct {
	// With an issuer with whom anybody can register: create members for all of them.
	// Default: false, which takes a condition.
	Public bool `json:"public,omitempty"`

	// Create a member when a token names one that is not known. Default: false.
	Members bool `json:"members,omitempty"`

	// Members an hour. Where a claim names the organization, one of several that
	// ask gets at most a tenth. Default: 10000.
	MembersPerHour int `json:"members_per_hour,omitempty"`

	// Create an organization when a token names one that is not known.
	// Default: false.
	Organizations bool `json:"organizations,omitempty"`

	// Organizations an hour. Default: 1000.
	OrganizationsPerHour int `json:"organizations_per_hour,omitempty"`
}

// Factor is what a token proves.
type Factor struct {
	// The kind of proof, in the operator's words: a–z 0–9 _ -
	Type string `json:"type"`

	// The proof never starts a session, creates nobody and links nobody: it adds
	// to a session that another profile's token started. Default: false.
	SecondOnly bool `json:"second_only,omitempty"`

	// How long after it was given the proof counts; one of which the token does not say
	// when it was given does not count at all. Default: 0, while the session lives.
	ValidFor caddy.Duration `json:"valid_for,omitempty"`

	// Where a token without auth_time says when its proof was given. "iat": when it was
	// issued, for issuers that make a token only for a new proof (a refresh is none).
	// "fva": Clerk's claim of that name. "auth_time": nowhere, and then the proof meets no
	// age. Default: "iat" with second_only, else "auth_time".
	Proved string `json:"proved,omitempty"`
}

// ProfileSession limits the sessions that the proxy starts from tokens.
type ProfileSession struct {
	// How long such a session lives at most; its token is refused afterwards.
	// Default: 0, until the token's end.
	Duration caddy.Duration `json:"duration,omitempty"`

	// How long it lives without a request; its token is refused afterwards.
	// Default: 0, until its end.
	Idle caddy.Duration `json:"idle,omitempty"`
}
