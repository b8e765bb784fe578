package api

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

// isElsewhere tells nearly all paths that are not the API's, without a look at the mux: they
// are spelled plainly, and begin otherwise than any of its own.
func (a *API) isElsewhere(u *url.URL) bool {
	p := u.Path
	if u.RawPath != "" || !strings.HasPrefix(p, "/") || strings.Contains(p, "%") || strings.Contains(p, "//") || strings.Contains(p, "/.") {
		return false
	}
	return !a.begins[firstSegment(p)]
}

func firstSegment(p string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return first
}

func unescaped(p string) string {
	if u, err := url.PathUnescape(p); err == nil {
		return u
	}
	return p
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
