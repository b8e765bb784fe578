package proxy

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/web"
)

// onward is the page that the request was for, as it was sent and without tokens: path and
// query alone, so that it is of this site.
func onward(r *http.Request) string {
	if uri := web.OriginalURI(r); isLocalPath(uri) {
		return uri
	}
	return "/"
}

// sendOnward sends the browser to the page without the token. Neither a cache nor the page's
// links keep the address that it came by.
func (a *Admission) sendOnward(w http.ResponseWriter) {
	h := w.Header()
	for _, line := range a.setCookie {
		h.Add("Set-Cookie", line)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", a.onward)
	w.WriteHeader(http.StatusSeeOther)
}
