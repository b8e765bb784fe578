package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// IsNavigation tells whether a person goes to a page, as far as the browser says so (Fetch
// Metadata); one that says nothing wants HTML before anything else.
func IsNavigation(r *http.Request) bool {
	mode, dest := r.Header.Values("Sec-Fetch-Mode"), r.Header.Values("Sec-Fetch-Dest")
	switch {
	case r.Method != http.MethodGet || r.Header.Get("Upgrade") != "":
		return false
	case len(mode) > 0 || len(dest) > 0:
		return slices.Equal(mode, []string{"navigate"}) && slices.Equal(dest, []string{"document"})
	}
	return prefersHTML(r.Header.Values("Accept"))
}

// navigationOf tells what a person goes to with the request, by GET or by POST. What a
// browser fetches before anybody goes there is nothing of the kind.
func navigationOf(r *http.Request) authn.Navigation {
	h := r.Header
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if len(h[name]) > 0 {
			return authn.NoNavigation
		}
	}
	mode, dest := h["Sec-Fetch-Mode"], h["Sec-Fetch-Dest"]
	switch {
	case len(mode) == 0 && len(dest) == 0 && prefersHTML(h.Values("Accept")), slices.Equal(mode, []string{"navigate"}) && slices.Equal(dest, []string{"document"}):
		return authn.ToDocument
	case slices.Equal(mode, []string{"navigate"}) && slices.Equal(dest, []string{"iframe"}):
		return authn.ToFrame
	}
	return authn.NoNavigation
}

// IsPreflight tells whether a browser asks, before another site's page calls, whether it
// may (Fetch §3.2.2): without body, cookie or credential, and nothing is done.
func IsPreflight(r *http.Request) bool {
	h := r.Header
	if r.Method != http.MethodOptions || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || len(h["Origin"]) != 1 || len(h["Access-Control-Request-Method"]) != 1 {
		return false
	}
	for name := range h {
		switch {
		case name == "Authorization", name == "Cookie", name == "Upgrade", name == "Proxy-Authorization":
			return false
		case slices.ContainsFunc(Overrides, func(o string) bool { return SameHeader(o, name) }):
			return false
		}
	}
	return true
}

// prefersHTML tells whether text/html is wanted at least as much as anything else (RFC 9110
// §12.5.1).
func prefersHTML(accept []string) bool {
	html, others := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, parameters, _ := strings.Cut(part, ";")
		quality := 1.0
		for parameter := range strings.SplitSeq(parameters, ";") {
			if text, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q="); found {
				if q, err := strconv.ParseFloat(text, 64); err == nil {
					quality = q
				}
			}
		}
		if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
			html = max(html, quality)
		} else {
			others = max(others, quality)
		}
	}
	return html > 0 && html >= others
}

type originalKey struct{}

// WithOriginal tells the URL that the client sent, where it was rewritten since.
func WithOriginal(r *http.Request, u *url.URL) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), originalKey{}, u))
}

// original is the URL that the client sent.
func original(r *http.Request) *url.URL {
	if u, ok := r.Context().Value(originalKey{}).(*url.URL); ok {
		return u
	}
	return r.URL
}

// OriginalURI is path and query as the client sent them.
func OriginalURI(r *http.Request) string { return original(r).RequestURI() }
