// Package authn decides on what was presented: whether a credential is good, whose
// session it names, what the upstream of a route is told, and what a call of the
// session API may change. It sees no HTTP request and no response: the doors
// (gateway/proxy, gateway/api) read facts off a request, ask here, and write the
// answer.
//
// # A proxied request
//
// [Authenticator.Admit] takes a [Presented] and a [CompiledRoute] and answers a
// [Decision]. A session token, a session JWT, the session cookie and a trusted token
// all lead to one live session (live.go): neither revoked, expired nor idle, its
// member and organization active. Then: which factors count now (factors.go), is one
// of them accepted by the route, and which JWT does the upstream receive
// (injected.go).
//
// # A call
//
// [Authenticator.Attest], [Authenticator.Authenticate], [Authenticator.Exchange] and
// [Authenticator.Revoke], and the changes to members and organizations. What is
// refused has changed nothing.
//
// # Errors
//
// Whatever is not granted is a [Refusal] (refusal.go): a code of one table, whose
// [Kind] each door maps to its own HTTP status, and a reason for the operator.
// [RefusalOf] finds the refusal that any error amounts to.
package authn
