// Package command is `caddy attest <noun> <verb>`: commands that ask a running gateway
// through Caddy's admin endpoint. They hold no rule of their own: each is a line of a
// table that says which operation of package gateway/admin it calls, and how its
// answer is printed.
//
// Exit status: 0 done, 1 refused, 2 used wrongly, 3 the gateway does not answer.
package command
