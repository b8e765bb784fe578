// Package gateway is what Attest does over HTTP, on plain net/http: it admits
// proxied requests, and it answers the session API. Caddy is one way to run it;
// see the caddymodule package. Without Caddy:
//
//	g, err := gateway.New(gateway.Config{Profiles: set, Directory: people, Sessions: manager, Minter: minter, Ring: ring,
//		Issuer: "https://gateway.example.com", Routes: []*gateway.Route{app}})
//	http.Handle("/", g.Handler(app, upstream))
//	http.Handle("/.well-known/jwks.json", g.API(gateway.Serve{Keys: true}))
//
// # A request
//
// [Gateway.Admit] cleans the request of everything that only the gateway may say,
// finds its one credential, and has the session behind it answer three questions:
// is it alive, does a factor that counts open this route, and what does the
// upstream hear of it. What it refuses is a [Refusal], whose code a client may
// know and whose reason is for the log.
//
// # A call
//
// [API] speaks the wire format of Stytch's B2B API, so that its SDKs work with
// only their base URL changed. A refused call has changed nothing.
//
// # Files
//
// admit.go, credential.go, scrub.go, cookie.go, crosssite.go: a proxied request.
// trusted.go: a third party's token. live.go, fresh.go, factors.go: the session
// behind a credential, and the cache of it. inject.go, variables.go: what the
// upstream hears. api*.go: the session API. problem.go: the one table from code
// to HTTP status.
package gateway
