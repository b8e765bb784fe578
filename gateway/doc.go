// Package gateway joins the core that decides with the doors that ask it, on plain
// net/http: it admits proxied requests, and it answers the session API. Caddy is one
// way to run it; see the caddymodule package. Without Caddy:
//
//	g, err := gateway.New(gateway.Config{
//		Core: authn.Config{Profiles: set, Directory: people, Sessions: manager, Minter: minter, Ring: ring,
//			Issuer: "https://gateway.example.com"},
//		Routes: []*proxy.Route{app},
//	})
//	http.Handle("/", g.Handler(app, upstream))
//	http.Handle("/.well-known/jwks.json", g.API(api.Serve{Keys: true}))
//
// # Packages
//
// authn is the core: it decides on facts and sees no request. web is what doors
// share: credentials, cookie, origin, scrubbing, the form of refusals. proxy and api
// are doors: each reads a request, asks the core, and applies what it answers. No
// door imports another.
package gateway
