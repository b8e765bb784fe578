package caddymodule

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/trust"
)

// trusted is the profile in the words of the trust room, all but its keys.
func (p *Profile) trusted(name string) trust.Config {
	c := trust.Config{
		Name:                name,
		Issuers:             p.issuers(name),
		Audiences:           p.audiences(),
		AudienceClaim:       p.AudienceClaim,
		Algorithms:          p.Algorithms,
		Types:               p.Types,
		Leeway:              orNone(p.Leeway),
		MaxTokenAge:         time.Duration(p.MaxTokenAge),
		MaxLifetime:         time.Duration(p.MaxLifetime),
		Map:                 p.Map,
		Roles:               p.Roles,
		EmailDomains:        p.EmailDomains,
		AssumeEmailVerified: p.AssumeEmailVerified,
		Namespace:           p.Namespace,
		Organization:        p.Organization,
		SessionKey:          p.SessionKey,
		Dev:                 p.Dev,
	}
	for _, r := range p.RequireClaims {
		c.RequireClaims = append(c.RequireClaims, trust.RequiredClaim{Path: r.Claim, Value: r.Value})
	}
	if f := p.Factor; f != nil {
		c.Factor = trust.Factor{Type: f.Type, SecondOnly: f.SecondOnly, ValidFor: time.Duration(f.ValidFor)}
	}
	if s := p.Session; s != nil {
		c.SessionDuration, c.SessionIdle = time.Duration(s.Duration), time.Duration(s.Idle)
	}
	if create := p.Create; create != nil {
		c.CreateMembers, c.CreateMembersPerHour = create.Members, create.MembersPerHour
		c.CreateOrganizations, c.CreateOrganizationsPerHour = create.Organizations, create.OrganizationsPerHour
	}
	return c
}

// orNone is a duration whose default is not 0: the trust room takes 0 for the
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

// trusts asks the trust room, which has the last word on profiles, before there
// are keys and while placeholders may hide texts. It answers nil, and records the
// problem, if the room refuses.
func (c *checker) trusts(at where, name string, p *Profile) *trust.Profile {
	config := p.trusted(name)
	config.Keys = keysToCome()
	if !c.replaced {
		config.Issuers, config.Audiences = standIns(config.Issuers), standIns(config.Audiences)
	}
	profile, err := trust.NewProfile(config)
	if err == nil {
		return profile
	}
	var mistake *trust.ConfigError
	if !errors.As(err, &mistake) {
		c.refuse(at, "%v", err)
		return nil
	}
	if mistake.Option != "name" {
		at = at.at(mistake.Option)
	}
	reason := mistake.Reason
	if value, err := strconv.QuotedPrefix(reason); err == nil {
		word, _ := strconv.Unquote(value)
		at, reason = at.at(word), strings.TrimSpace(reason[len(value):])
	}
	c.refuse(at, "%s", reason)
	return nil
}

// trustsAll is the set of all profiles, as far as the trust room takes them.
func (c *checker) trustsAll(a *App) *trust.Set {
	var profiles []*trust.Profile
	known := checker{replaced: c.replaced} // the app's problems are not the route's
	for name, p := range sorted(a.Profiles) {
		if profile := known.trusts(nil, name, p); profile != nil {
			profiles = append(profiles, profile)
		}
	}
	set, err := trust.NewSet(profiles...)
	if err != nil {
		panic(err) // names are the keys of a map
	}
	return set
}

// keysURL stands for the URL where it is not what is asked about.
const keysURL = "https://keys.invalid/"

// keysToCome are keys that nobody has seen yet.
func keysToCome() trust.KeySource {
	keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: keysURL})
	if err != nil {
		panic(err) // the URL is a good one
	}
	return keys
}

// standIns are texts whose placeholders are taken for plain text, so that equal
// ones stay equal and none is taken for a capture.
func standIns(texts []string) []string {
	var plain []string
	for _, text := range texts {
		plain = append(plain, standIn(text))
	}
	return plain
}

func standIn(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		if name := strings.Trim(match, "{}"); isReplaced(name) {
			return name
		}
		return match
	})
}
