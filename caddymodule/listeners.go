package caddymodule

import (
	"errors"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/coverage"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/caddymodule/logformat"
)

// listen looks at the HTTP servers around the app: they decide on the default issuer,
// on whether a dev profile may be served, and on who reaches an upstream.
//
// The http app and this one need each other, and Caddy loads apps in no particular
// order. An app is known to others before it is provisioned, so whichever comes first
// loads the other one, and that one finds what the first has read so far. If the http
// app does not load, Caddy tells that by itself.
func (a *App) listen(ctx caddy.Context) error {
	server := new(caddyhttp.App)
	switch found, err := ctx.AppIfConfigured("http"); {
	case err == nil:
		server = found.(*caddyhttp.App)
	case !errors.Is(err, caddy.ErrNotConfigured):
		return nil
	}
	found := coverage.Check(ctx, server.Servers, a.SharedUpstreams)
	if err := a.listenOn(server, found.Servers["attest_api"]); err != nil {
		return a.located(err)
	}
	a.ways = found.Ways
	a.tellOfLogs(server.Servers)
	return a.cover(found)
}

// tellOfLogs warns where an access log would hold trusted tokens: Caddy's own formats hide
// Authorization and cookies, unless they are told not to, and no other header.
func (a *App) tellOfLogs(servers map[string]*caddyhttp.Server) {
	if logformat.InUse() {
		return
	}
	var tokens []string
	for _, place := range a.places() {
		if place.Query != "" {
			tokens = append(tokens, "query "+place.Query)
		}
		if place.Header != "" && place.Header != "Authorization" {
			tokens = append(tokens, place.Header)
		}
	}
	for name, s := range sorted(servers) {
		switch {
		case s.Logs == nil:
		case s.Logs.ShouldLogCredentials:
			a.logger.Warn("the access log of a server holds credentials, as log_credentials says: write it with `format attest`, or leave that out", zap.String("server", name))
		case len(tokens) > 0:
			a.logger.Warn("the access log of a server holds trusted tokens: write it with `format attest`", zap.String("server", name), zap.Strings("in", tokens))
		}
	}
}

// cover refuses a way past an attest to the upstream that it protects.
func (a *App) cover(found coverage.Findings) error {
	for _, text := range found.Warnings {
		a.logger.Warn(text)
	}
	var problems []error
	for _, text := range found.Errors {
		problems = append(problems, errors.New(text))
	}
	return errors.Join(problems...)
}

// listenOn draws the conclusions. publishing are the servers that serve the keys.
func (a *App) listenOn(server *caddyhttp.App, publishing []string) error {
	first, open, err := survey(server, publishing)
	if err != nil {
		return err
	}
	if open != "" {
		return a.servedOpenly(open)
	}
	if a.issuer() == "" && first != "" {
		a.Issuer = "http://" + first
	}
	if a.issuer() == "" {
		return issuerProblem("no HTTP listener has an address that could be it")
	}
	return check(true, func(c *checker) { c.app(a) })
}

// survey finds the first listener, by the servers' names, of those that publish the
// keys if there are such, and one that is not loopback, if there is any.
func survey(server *caddyhttp.App, publishing []string) (first, open string, err error) {
	published := false
	for name, s := range sorted(server.Servers) {
		for _, text := range s.Listen {
			address, err := caddy.ParseNetworkAddress(text)
			if err != nil {
				return "", "", fmt.Errorf("listener %s: %w", text, err)
			}
			if !isLoopback(address) {
				return "", text, nil
			}
			publishes := slices.Contains(publishing, name)
			if !address.IsUnixNetwork() && (first == "" || publishes && !published) {
				first, published = address.JoinHostPort(0), publishes
			}
		}
	}
	return first, "", nil
}

// isLoopback tells whether only this machine can reach a listener. What binds
// nothing that can be named, such as an inherited file descriptor, is not known
// to be.
func isLoopback(address caddy.NetworkAddress) bool {
	return address.IsUnixNetwork() || !address.IsFdNetwork() && isLoopbackHost(address.Host)
}

// servedOpenly refuses what is fit for a developer's machine only.
func (a *App) servedOpenly(listener string) error {
	for name, p := range sorted(a.Profiles) {
		if p.Dev {
			return &grammar.Problem{
				Place: grammar.Place{"profile", name, "dev"},
				Text:  fmt.Sprintf("anyone with this machine's storage can make its tokens, so that every HTTP listener must be loopback, and %s is not; set 'default_bind 127.0.0.1'", listener),
			}
		}
	}
	if a.issuer() == "" {
		return issuerProblem("not every HTTP listener is loopback: " + listener)
	}
	return nil
}

// issuerProblem tells that the issuer is missing, and why there is no default.
func issuerProblem(reason string) error {
	return &grammar.Problem{
		Place: grammar.Place{"issuer"},
		Text:  "expected the URL under which upstreams know this gateway, because " + reason,
	}
}
