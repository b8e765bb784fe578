package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// CrossSite tells whether a request may change something and was not shown to be
// made by a page of this very origin, or of one that is trusted like it: a credential that
// travels without the user's will, a cookie, is then not accepted.
func (c Cookie) CrossSite(r *http.Request) bool {
	return changesState(r) && !sameOrigin(r) && !c.trusts(r.Header.Values("Origin"))
}

func (c Cookie) trusts(origins []string) bool {
	return len(origins) == 1 && slices.ContainsFunc(c.TrustedOrigins, func(o string) bool { return strings.EqualFold(o, origins[0]) })
}

// IsOrigin tells an origin as browsers write it (RFC 6454 §6.2).
func IsOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && text == u.Scheme+"://"+withoutDefaultPort(u.Scheme, u.Host)
}

// withoutDefaultPort is a host as an origin has it.
func withoutDefaultPort(scheme, host string) string {
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// sameOrigin tells whether a request that brings an ambient credential, a
// cookie, was made by a page of this very origin. A browser says so itself in
// Sec-Fetch-Site (Fetch Metadata), or at least names the Origin; a request that
// says neither is refused, since a cookie travels without the user's will.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	return err == nil && u.Host != "" && strings.EqualFold(withoutDefaultPort(u.Scheme, u.Host), withoutDefaultPort(u.Scheme, r.Host)) && (u.Scheme == "https" || u.Scheme == schemeOf(r))
}

type schemeKey struct{}

// WithScheme tells by which scheme, http or https, the client made the request,
// where that is not the scheme of the connection: a proxy in front ends the TLS.
// It is for proxies that are trusted to say so.
func WithScheme(r *http.Request, scheme string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), schemeKey{}, scheme))
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	if scheme, ok := r.Context().Value(schemeKey{}).(string); ok {
		return scheme
	}
	return "http"
}

// reflects tells whether the answer may show the client what the upstream
// received, the injected JWT with it: TRACE does (RFC 9110 §9.3.8), and CONNECT
// opens a tunnel that nobody looks into. The extended CONNECT of RFC 8441 is an
// upgrade like any other.
func reflects(r *http.Request) bool {
	return r.Method == http.MethodTrace || r.Method == http.MethodConnect && r.Header.Get(":protocol") == ""
}

// changesState tells whether the request may change something: any method that
// RFC 9110 §9.2.1 does not call safe, and the upgrade to another protocol, which
// escapes the rule that a page reads only what its own origin answers.
func changesState(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r.Header.Get("Upgrade") != "" || r.Header.Get(":protocol") != "" || r.Method == http.MethodConnect
	}
	return true
}
