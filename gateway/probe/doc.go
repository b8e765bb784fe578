// Package probe asks an upstream whether it checks the JWTs that it gets: it sends requests
// without one, with good and with bad ones, and with identity headers that somebody made
// up, and compares the answers. It sends GET requests to one address and follows no
// redirect.
package probe
