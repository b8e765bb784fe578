// Package web is what the doors of the gateway share: reading credentials, the
// session cookie, origin and peer of a request, scrubbing, and the form of refusals.
package web
