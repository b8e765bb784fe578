package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
)

// Introspect asks an issuer about tokens that say nothing themselves (RFC 7662).
type Introspect struct {
	// The address and how it is reached.
	JWKSURL

	// What authenticates the gateway there, by HTTP Basic. Placeholders of the forms
	// {env.NAME} and {file.PATH} are replaced. Default: `bearer` or a header does.
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`

	// How long a good answer is remembered, never past the token's end; at most 5m.
	// Default: 30s.
	Cache caddy.Duration `json:"cache,omitempty"`
}

var introspectBlock = grammar.Block[Introspect]{Name: "introspect", Lines: append(
	remoteLines(func(i *Introspect) *JWKSURL { return &i.JWKSURL }),
	grammar.Custom("client", "<id> <secret>", "what authenticates the gateway there (HTTP Basic)", readIntrospectClient),
	grammar.Duration("cache", "<duration>", "how long a good answer is remembered; default 30s, at most 5m",
		func(i *Introspect) *caddy.Duration { return &i.Cache }),
)}

// readIntrospectClient reads `client <id> <secret>`.
func readIntrospectClient(r *grammar.Reader, i *Introspect) error {
	if i.ClientID != "" {
		return r.Again()
	}
	args, err := r.Args(2)
	switch {
	case err != nil:
		return err
	case len(args) != 2:
		return r.Wrong()
	}
	i.ClientID, i.ClientSecret = args[0], args[1]
	return nil
}

// introspection is the line to package trust, without what is read from files.
func (i *Introspect) introspection() trust.IntrospectionConfig {
	c := trust.IntrospectionConfig{Remote: i.config(), ClientID: i.ClientID, ClientSecret: i.ClientSecret, Cache: time.Duration(i.Cache)}
	c.Remote.URL = i.URL
	return c
}

// open makes the source, with what is read from files.
func (i *Introspect) open() (trust.KeySource, error) {
	c := i.introspection()
	var err error
	if c.Remote, err = i.remote(); err != nil {
		return nil, err
	}
	return trust.NewIntrospection(c)
}

func (i *Introspect) replace(r *grammar.Replacer, at grammar.Place) {
	i.JWKSURL.replace(r, at)
	r.Text(at.At("client"), &i.ClientID)
	r.Text(at.At("client"), &i.ClientSecret)
}

// introspect checks where tokens are asked about, as far as no placeholder hides it.
func (c *checker) introspect(at grammar.Place, i *Introspect) {
	config := i.introspection()
	if !c.Known(at.At("introspect"), i.URL) {
		config.Remote.URL, config.Remote.AllowHTTP = keysURL, false
	}
	if _, err := trust.NewIntrospection(config); err != nil {
		c.Problems = append(c.Problems, profileProblem(at, err))
	}
	c.Known(at.At("introspect", "client"), i.ClientID)
	c.Known(at.At("introspect", "client"), i.ClientSecret)
	c.remoteOptions(at.At("introspect"), &i.JWKSURL)
}

// introspectionToCome stands for one whose address a placeholder may hide.
func introspectionToCome() trust.KeySource {
	source, err := trust.NewIntrospection(trust.IntrospectionConfig{Remote: trust.RemoteConfig{URL: keysURL}})
	if err != nil {
		panic(err) // the URL is a good one
	}
	return source
}
