package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// cacheMarks keep an answer out of shared caches, or from those that show another
// credential. A cache may stand before the gateway, and a session cookie alone
// keeps no cache from storing (RFC 9111 §3.5 speaks of Authorization only).
type cacheMarks struct {
	private bool // the answer is for whom was admitted
	varies  bool // without a credential there is another answer
}

// credentialHeaders are what an admission depends on.
const credentialHeaders = "Authorization, Cookie"

// marks are those of an answer on the route. Only an anonymous answer varies: Caddy's
// cache module stores a private answer that has Vary: Authorization, and by the
// request as it was left by attest, without the cookie.
func (r *compiledRoute) marks(d authn.Decision) cacheMarks {
	return cacheMarks{private: !d.Anonymous, varies: d.Anonymous && !r.off}
}

func (m cacheMarks) apply(h http.Header) {
	if m.private && !saysWhoMayStore(h) {
		addToList(h, "Cache-Control", "private")
	}
	if m.varies {
		addToList(h, "Vary", credentialHeaders)
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

// addToList adds to a header that is a list, in one line: some caches read no
// more than the first.
func addToList(h http.Header, name, value string) {
	if before := strings.Join(h.Values(name), ", "); before != "" {
		value = before + ", " + value
	}
	h.Set(name, value)
}
