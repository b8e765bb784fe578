package gateway

import (
	"context"
	"net/url"
	"strings"
)

// normalise makes the spellings of one path one: some SDKs join a base URL that
// ends in a slash to a path that begins with one, and Stytch's launch post writes
// /b2b/v1/ for /v1/b2b/.
func normalise(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	if rest, old := strings.CutPrefix(p, "/b2b/v1/"); old {
		return "/v1/b2b/" + rest
	}
	return p
}

func unescaped(p string) string {
	if u, err := url.PathUnescape(p); err == nil {
		return u
	}
	return p
}

// owns tells whether a path belongs to what is served here: then an unknown route
// is a 404 of ours, else the request is the next handler's.
func (a *API) owns(p string) bool {
	if a.serve.Sessions && a.serve.Directory && under(p, "/v1/b2b") {
		return true
	}
	if a.serve.Keys && a.metadataPaths()[p] {
		return true
	}
	for prefix, served := range map[string]bool{
		jwksPath:                a.serve.Keys,
		openAPIPath:             a.serve.Sessions || a.serve.Directory,
		"/v1/debug/whoami":      a.serve.Sessions,
		"/v1/b2b/sessions/jwks": a.serve.Keys,
		"/v1/sessions/jwks":     a.serve.Keys,
		"/v1/b2b/sessions":      a.serve.Sessions,
		"/v1/sessions":          a.serve.Sessions,
		"/v1/b2b/rbac":          a.serve.Sessions,
		"/v1/b2b/organizations": a.serve.Directory,
	} {
		if served && under(p, prefix) {
			return true
		}
	}
	return false
}

func under(p, prefix string) bool {
	rest, ok := strings.CutPrefix(p, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

type callKey struct{}

type foundCall struct {
	api  *API
	call call
}

func withCall(ctx context.Context, a *API, c call) context.Context {
	return context.WithValue(ctx, callKey{}, foundCall{a, c})
}

func callOf(ctx context.Context) (*API, call) {
	f := ctx.Value(callKey{}).(foundCall)
	return f.api, f.call
}
