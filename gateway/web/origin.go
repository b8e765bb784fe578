package web

import (
	"net/http"
	"net/url"
	"strings"
)

// CrossSite tells whether a request may change something and was not shown to be
// made by a page of this very origin: a credential that travels without the user's
// will, a cookie, is then not accepted.
func CrossSite(r *http.Request) bool { return changesState(r) && !sameOrigin(r) }

// sameOrigin tells whether a request that brings an ambient credential, a
// cookie, was made by a page of this very origin. A browser says so itself in
// Sec-Fetch-Site (Fetch Metadata), or at least names the Origin; a request that
// says neither is not believed, since a cookie travels without the user's will.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https")
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
