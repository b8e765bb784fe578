// Package caddymodule runs Attest inside Caddy: the app, the directives, the
// stores, and the configuration language that joins them.
//
// A configuration has two halves. What is shared stands in the app (the global
// attest block of a Caddyfile): who is trusted, where records are kept, how the
// gateway signs. What belongs to a route stands in its handler (the attest and
// attest_api directives). This is a whole gateway:
//
//	{
//		attest {
//			issuer https://gateway.example.com
//			profile acme {
//				issuer https://idp.acme.test
//				audience my-app
//				jwks_url https://idp.acme.test/.well-known/jwks.json
//				organization acme
//				create members organizations
//			}
//		}
//	}
//
//	gateway.example.com {
//		attest_api
//		attest acme
//		reverse_proxy localhost:9000
//	}
//
// The modules are
//
//	attest                     the app: [App]
//	http.handlers.attest       admits requests: [Attest]
//	http.handlers.attest_api   serves the session API and the public keys: [API]
//	attest.stores.*            where records are kept: [StoreBackend]
//
// # Files
//
// config_*.go holds the JSON configuration, one concern a file; the comments of
// its fields are the manual. caddyfile_*.go holds the parsers, one per block, each
// a table of its words (words.go). check_*.go holds the rules that a
// configuration must obey, whether it came as JSON or as a Caddyfile: a
// Caddyfile's mistake is reported with its file and line because the parser
// remembers where it read what.
package caddymodule
