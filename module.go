// Package attest is a Caddy module that turns any JWT an operator has decided to
// trust into a session, and every proxied request into one that the upstream can
// trust: one header, one short-lived JWT, verifiable by anyone with the
// gateway's public JWKS.
//
// This package only joins the module to a Caddy build, as xcaddy expects of the
// root of a plugin. What it is made of:
//
//   - caddymodule: the Caddy app, its directives and commands
//   - gateway: the same over plain net/http, without Caddy
//   - trust, directory, session, session/mint, claims, store: the packages behind it
//
// ARCHITECTURE.md shows how they stand to each other.
package attest

import _ "github.com/attestgate/caddy-attest/caddymodule" // registers the modules
