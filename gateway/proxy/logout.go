package proxy

import (
	"net/http"
	"net/url"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Logout ends the session of a browser's cookie.
type Logout struct {
	// Path is where on every route. Default: nowhere.
	Path string
	// Then is where the browser goes next: a path or an http or https URL. Default: /.
	Then string
}

// Check refuses what is no path. The error is a *ConfigError.
func (l Logout) Check() error {
	then, err := url.Parse(l.Then)
	switch {
	case l.Path == "" && l.Then == "":
		return nil
	case !isLocalPath(l.Path) || web.CheckPath(l.Path, true) != nil:
		return &ConfigError{"session cookie logout", "expected a path, as /logout"}
	case l.Then != "" && !isLocalPath(l.Then) && (err != nil || then.Host == "" || then.User != nil || then.Scheme != "https" && then.Scheme != "http"):
		return &ConfigError{"session cookie logout", "expected where to go then: a path, or an http or https URL"}
	}
	return nil
}

// Logout answers a request for the path of the logout, and tells whether it was one. Nobody
// is logged out by a page of another site, nor by a browser that fetches ahead: what was
// not shown to be meant gets a page with a button. An error is a refusal: the session is
// not confirmed to have ended.
func (p *Proxy) Logout(w http.ResponseWriter, r *http.Request) (bool, error) {
	if p.logout.Path == "" || r.URL.Path != p.logout.Path {
		return false, nil
	}
	switch {
	case r.Method == http.MethodPost && p.cookie.CrossSite(r):
		return true, authn.Refuse("cross_site_request", nil)
	case r.Method == http.MethodPost, r.Method == http.MethodGet && meant(r):
		return true, p.endSession(w, r)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		writeLogoutPage(w)
		return true, nil
	}
	return true, authn.Refuse("method_not_allowed", nil)
}

// meant tells whether a person followed a link of this site.
func meant(r *http.Request) bool {
	h := r.Header
	return h.Get("Sec-Fetch-Site") == "same-origin" && h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Purpose")+h.Get("Purpose") == ""
}

// endSession revokes the session of the cookie, dead or alive, and has the cookie
// forgotten.
func (p *Proxy) endSession(w http.ResponseWriter, r *http.Request) error {
	presented := web.Credentials(r, p.cookie, nil)
	if presented.Cookie != "" {
		ctx := authn.WithActor(r.Context(), authn.Actor{Door: web.DoorProxy, Address: p.report.Client(r)})
		err := p.core.Revoke(ctx, authn.RevokeRequest{Session: authn.SessionName{Token: presented.Cookie}})
		if err != nil && authn.IsFault(err) {
			return err
		}
	}
	h := w.Header()
	for _, line := range p.cookie.ClearEvery() {
		h.Add("Set-Cookie", line)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Location", p.logout.Then)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// writeLogoutPage asks. The form is sent to the page's own address.
func writeLogoutPage(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(logoutPage))
}

const logoutPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Log out</title>
<h1>Log out?</h1>
<form method="post"><button>Log out</button></form>
</html>
`
