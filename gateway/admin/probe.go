package admin

import (
	"net/url"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/probe"
)

// A Probing asks what an upstream takes.
type Probing struct {
	// URL of the upstream itself, past the gateway.
	URL string `json:"url"`
	// Audience and Header are those of the JWT. Default: of the route whose upstream it is,
	// else the issuer's, in Authorization.
	Audience []string `json:"audience"`
	Header   string   `json:"header"`
}

func (a *Admin) probe(c *call) (any, error) {
	var p Probing
	if err := c.body(&p); err != nil {
		return nil, err
	}
	a.completeProbing(&p)
	tokens, err := a.Core.ProbeTokens(c.Context(), p.Audience)
	if err != nil {
		return nil, err
	}
	scheme := ""
	if strings.EqualFold(p.Header, "Authorization") {
		scheme = "Bearer"
	}
	result, err := probe.Run(c.Context(), probe.Config{
		URL: p.URL, Header: p.Header, Scheme: scheme, Good: tokens.Good, OtherAudience: tokens.OtherAudience, Expired: tokens.Expired,
	})
	if err != nil {
		return nil, badRequest(err.Error())
	}
	return result, nil
}

// completeProbing takes what is not given from the route of the upstream.
func (a *Admin) completeProbing(p *Probing) {
	host := ""
	if u, err := url.Parse(p.URL); err == nil {
		host = u.Host
	}
	for _, r := range a.Config.Routes {
		if r.Header != "" && slices.Contains(r.Upstreams, host) {
			if len(p.Audience) == 0 {
				p.Audience = r.Audience
			}
			if p.Header == "" {
				p.Header = r.Header
			}
		}
	}
	if p.Header == "" {
		p.Header = "Authorization"
	}
	if len(p.Audience) == 0 {
		p.Audience = []string{a.Core.Issuer}
	}
}
