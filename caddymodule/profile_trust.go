package caddymodule

import (
	"errors"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
)

// trusts checks a profile with the rules of package trust, before there are keys and
// while placeholders may hide texts. It answers nil, and records the problem, if the
// profile is refused.
func (c *checker) trusts(at grammar.Place, name string, p *Profile) *trust.Profile {
	config := p.trusted(name)
	config.Keys = keysToCome()
	switch {
	case len(p.SharedSecrets) > 0:
		config.Keys = secretsToCome()
	case p.SecretFiles != nil:
		config.Keys = secretFilesToCome()
	case p.Introspect != nil:
		config.Keys = introspectionToCome()
	}
	if !c.Replaced {
		config.Issuers, config.Audiences = standIns(config.Issuers), standIns(config.Audiences)
	}
	profile, err := trust.NewProfile(config)
	if err == nil {
		if err := p.checkPreset(config); err != nil {
			c.Refuse(at.At(p.presetWord()), "%v", err)
			return nil
		}
		return profile
	}
	c.Problems = append(c.Problems, profileProblem(at, err))
	return nil
}

// profileProblem is what is wrong with a profile, at the option and the value of it.
func profileProblem(at grammar.Place, err error) *grammar.Problem {
	var mistake *trust.ConfigError
	if !errors.As(err, &mistake) {
		return &grammar.Problem{Place: at, Text: err.Error()}
	}
	if mistake.Option != "name" {
		at = at.At(strings.Fields(mistake.Option)...)
	}
	reason := mistake.Reason
	if mistake.Value != "" {
		at, reason = at.At(mistake.Value), strings.TrimPrefix(reason, strconv.Quote(mistake.Value)+" ")
	}
	return &grammar.Problem{Place: at, Text: reason}
}

// trustsAll is the set of all profiles, as far as package trust accepts them.
func (c *checker) trustsAll(a *App) *trust.Set {
	var profiles []*trust.Profile
	known := checker{grammar.Checker{Replaced: c.Replaced}} // the app's problems are not the route's
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

// keysURL stands for the URL where it is not what is checked.
const keysURL = "https://keys.invalid/"

// keysToCome stand for keys that are fetched later.
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
		plain = append(plain, grammar.StandIn(text))
	}
	return plain
}

// presetWord is the line that a mistake about presets and public issuers is told at.
func (p *Profile) presetWord() string {
	if p.Preset != nil {
		return "preset"
	}
	return "issuer"
}

// secretsToCome stand for secrets that a placeholder may hide.
func secretsToCome() trust.KeySource {
	keys, err := trust.SharedSecrets(make([]byte, trust.MinSecretBytes))
	if err != nil {
		panic(err) // it is long enough
	}
	return keys
}

// secretFilesToCome stand for secrets in a directory.
func secretFilesToCome() trust.KeySource {
	keys, err := trust.NewSecretFiles(func() (map[string][]byte, error) { return nil, nil }, nil)
	if err != nil {
		panic(err) // there is nothing in it that could be wrong
	}
	return keys
}

func (p *Profile) secrets() [][]byte {
	secrets := make([][]byte, len(p.SharedSecrets))
	for i, secret := range p.SharedSecrets {
		secrets[i] = []byte(secret)
	}
	return secrets
}
