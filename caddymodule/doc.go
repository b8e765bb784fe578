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
// A thing of the configuration stands together: its struct, whose comments are the
// manual, and its mapping to the core package in <thing>.go; its lines of a Caddyfile
// in <thing>_caddyfile.go; its rules in <thing>_rules.go. A small thing is one file.
// The language itself is package grammar, which knows nothing of Attest; which ways
// lead around an attest is package coverage.
package caddymodule
