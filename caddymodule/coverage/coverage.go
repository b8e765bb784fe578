package coverage

import (
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
)

// A Guard is a handler that removes from requests what an upstream could be
// deceived with.
type Guard interface {
	// Guards tells whether the handler also admits requests, so that the upstream
	// behind it trusts them, and where it is written: file:line, or empty.
	Guards() (admits bool, source string)
}

// Findings are what is wrong with a configuration.
type Findings struct {
	// Errors are ways past an attest: the configuration must not be served.
	Errors []string

	// Warnings are ways that may lead past an attest.
	Warnings []string

	// Ways are all ways to upstreams, in the order in which they were met.
	Ways []Way

	// Servers are the names of the servers that lead to a handler, by its module name.
	Servers map[string][]string
}

// A Way is one way to an upstream.
type Way struct {
	// Place is listener, hosts and matchers, as an error names them.
	Place string
	// Upstream is its address as configured.
	Upstream string
	// Guard is the attest that admits; nil where none is on the way.
	Guard Guard
}

// Check follows the requests to the servers, whose handlers may be loaded or not;
// ctx loads matchers. Upstreams with one of the shared addresses are reached with
// and without attest on purpose.
func Check(ctx caddy.Context, servers map[string]*caddyhttp.Server, shared []string) Findings {
	r := &report{judge: judge{patterns: make(map[atom]patterns)}, shared: make(map[address]bool), servers: make(map[string][]string)}
	for _, text := range shared {
		r.shared[addressOf(text)] = true
	}
	for _, name := range sortedKeys(servers) {
		s := servers[name]
		r.listeners, r.server = listenersOf(s.Listen), name
		w := walker{reader: reader{ctx: ctx, overIP: onlyIP(s.Listen)}, report: r}
		w.server(place{cond: always, words: []string{strings.Join(s.Listen, " ")}}, s)
	}
	r.judgeReaches()
	return Findings{unique(r.errors), unique(r.warnings), r.ways(), r.servers}
}

// unique leaves out what was found already: a named route is walked for every
// invocation.
func unique(texts []string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, text := range texts {
		if !seen[text] {
			seen[text], list = true, append(list, text)
		}
	}
	return list
}

// passesThrough tells a file server that calls the next handler for what it does
// not find.
func passesThrough(h any) bool {
	f, ok := h.(*fileserver.FileServer)
	return !ok || f.PassThru
}
