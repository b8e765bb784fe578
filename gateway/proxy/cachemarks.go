package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/web"
)

// credentialHeaders are what an admission depends on.
const credentialHeaders = "Authorization, Cookie"

// mark keeps the answer out of shared caches, or from those that show another
// credential. A cache may stand before the gateway, and a session cookie alone
// keeps no cache from storing (RFC 9111 §3.5 speaks of Authorization only).
//
// Only an anonymous answer varies: Caddy's cache module stores a private answer that
// has Vary: Authorization, and by the request as it was left by attest, without the
// cookie.
func (a *Admission) mark(h http.Header) {
	switch {
	case !a.Anonymous && !saysWhoMayStore(h):
		web.AddToList(h, "Cache-Control", "private")
	case a.Anonymous && !a.route.off:
		web.AddToList(h, "Vary", credentialHeaders)
	}
}

// saysWhoMayStore tells whether the upstream has decided about shared caches by
// itself (RFC 9111 §5.2.2). A private with field names is about those fields
// alone.
func saysWhoMayStore(h http.Header) bool {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		directive = strings.ToLower(strings.TrimSpace(directive))
		if strings.HasPrefix(directive, "s-maxage=") || slices.Contains(storageDirectives, directive) {
			return true
		}
	}
	return false
}

var storageDirectives = []string{"public", "private", "no-store"}
