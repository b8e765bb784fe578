package caddymodule

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/coverage"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// listeners is what the app needs to know of the HTTP servers around it. The
// http app provisions the handlers, the handlers reach the app: so it is the
// handlers that show the servers to the app, and it looks once.
type listeners struct{ seen bool }

// listen looks at the HTTP listeners that a handler's context leads to: they
// decide on the default issuer and on whether a dev profile may be served.
func (a *App) listen(ctx caddy.Context) error {
	if a.listeners.seen {
		return nil
	}
	for _, module := range ctx.Modules() {
		if server, ok := module.(*caddyhttp.App); ok {
			a.listeners.seen = true
			if err := a.listenOn(server); err != nil {
				return a.located(err)
			}
			return a.cover(ctx, server)
		}
	}
	return nil
}

// cover refuses a way past an attest to the upstream that it protects.
func (a *App) cover(ctx caddy.Context, server *caddyhttp.App) error {
	found := coverage.Check(ctx, server.Servers, a.SharedUpstreams)
	for _, text := range found.Warnings {
		a.logger.Warn(text)
	}
	var problems []error
	for _, text := range found.Errors {
		problems = append(problems, errors.New(text))
	}
	return errors.Join(problems...)
}

// listenOn draws the conclusions.
func (a *App) listenOn(server *caddyhttp.App) error {
	first, open, err := survey(server)
	if err != nil {
		return err
	}
	if open != "" {
		return a.servedOpenly(open)
	}
	if a.issuer() == "" && first != "" {
		a.Issuer = "http://" + first
	}
	return check(true, func(c *checker) { c.app(a) })
}

// survey finds the first listener, by the servers' names, and one that is not
// loopback, if there is any.
func survey(server *caddyhttp.App) (first, open string, err error) {
	for _, s := range sorted(server.Servers) {
		for _, text := range s.Listen {
			address, err := caddy.ParseNetworkAddress(text)
			if err != nil {
				return "", "", fmt.Errorf("listener %s: %w", text, err)
			}
			if !isLoopback(address) {
				return "", text, nil
			}
			if first == "" && !address.IsUnixNetwork() {
				first = address.JoinHostPort(0)
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
		return &grammar.Problem{
			Place: grammar.Place{"issuer"},
			Text:  "expected the URL under which upstreams know this gateway, because not every HTTP listener is loopback: " + listener,
		}
	}
	return nil
}
