// Package coverage follows every way that a request can take through Caddy's
// HTTP servers to an upstream, and tells which of them lead past the attest that
// protects the upstream elsewhere: whoever takes such a way writes the upstream's
// identity headers himself.
//
// A way to an upstream is covered if an attest stands before it under no matcher,
// under the same matchers, or under matchers and their `not` together. An upstream
// that is covered on one way and certainly not on another is an error; where the
// matchers do not decide, it is a warning. So is an upstream that requests come to
// from an attest through another listener of the configuration, if others than this
// machine can reach that listener.
//
// # How it is decided
//
// Matchers become propositions ([formula]): a matcher is an atom, a matcher set
// all of its matchers, a route's match any of its sets. Caddy's semantics are in
// the walk ([flow]): routes run in order, one of a group runs at most once, a
// terminal route or a handler that answers ends a request. What is left of a way
// once every attest before it is taken away is then impossible, certain or
// unknown ([decide]); hosts, paths and methods are decided by trying requests on
// Caddy's own matchers.
//
// Handlers that Caddy has loaded have lost their JSON, the others have nothing
// else: both are read as values of their Go types.
package coverage
