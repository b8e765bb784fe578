// Package e2e holds the tests that see Attest from outside: the caddy binary as a
// process of its own, its command line, its files, and clients that share no code
// with it (OpenSSL makes the keys, Node.js with jose signs and verifies).
//
// The program is built once, with the flags of xcaddy.sh, when the first test
// wants it. ATTEST_CADDY names one to be tested instead:
//
//	go test ./e2e
//	ATTEST_CADDY=/usr/bin/caddy go test ./e2e
//
// A test that wants a tool which this machine lacks is left out and says which;
// with CI=true in the environment it fails.
package e2e
