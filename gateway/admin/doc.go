// Package admin is the door for operators: what a gateway is and does, and what an
// operator may change about it.
//
//	desk, err := admin.New(admin.Config{Core: authenticator})
//	http.Handle("/attest/", desk.Handler())          // all of it
//	http.Handle("/attest/", desk.ReadOnlyHandler())  // without what changes anything
//
// The handler asks for no credential: it is as strong as what stands before it, such
// as Caddy's admin endpoint. Caddy's admin API, the commands of `caddy attest` and the
// operator's page are three faces of this one handler, so that they cannot disagree.
//
// No answer holds a token that works: session tokens are never read, nothing is
// signed, and signatures are left out of what is shown.
//
// Each operation is one entry of one list, with its method, path and summary; the
// handler, the OpenAPI document and the check of what changes anything follow from it.
// Lists are bare arrays; one that was cut off says so in the header Attest-More. An
// error is {"code", "message"} with a status of the one table.
package admin
