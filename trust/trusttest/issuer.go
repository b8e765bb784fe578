// Package trusttest is an issuer of tokens for tests, with a real key set
// endpoint on loopback.
package trusttest
