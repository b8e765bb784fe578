package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Login is where a browser without a session is sent.
type Login struct {
	// URL is an absolute http or https URL, or a path of the site. It receives return_to,
	// where the browser wanted to go.
	URL string
	// Origin stands before the path in return_to, for a login on another host: the site's
	// own, as https://app.example.com. Default: return_to is path and query.
	Origin string
}

// maxReturn bounds return_to; a longer one is left out.
const maxReturn = 2048

// Check refuses what a browser would not come back from. The error is a *ConfigError.
func (l Login) Check() error {
	u, err := url.Parse(l.URL)
	switch {
	case l.URL == "" && l.Origin == "":
		return nil
	case err != nil || u.User != nil || u.Fragment != "" || !isLocalPath(l.URL) && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http"):
		return &ConfigError{"login", "expected a path of the site, or an http or https URL"}
	}
	if l.Origin == "" {
		return nil
	}
	o, err := url.Parse(l.Origin)
	if err != nil || o.Host == "" || o.User != nil || o.Scheme != "https" && o.Scheme != "http" || o.Path+o.RawQuery+o.Fragment != "" {
		return &ConfigError{"login", "expected the site's own origin after the URL, as https://app.example.com"}
	}
	if isLocalPath(l.URL) {
		return &ConfigError{"login", "an origin goes with a login on another host"}
	}
	return nil
}

// isLocalPath tells a path from what a browser takes for another host.
func isLocalPath(text string) bool {
	return strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && !strings.HasPrefix(text, `/\`)
}

// loginFor is where a refused request is sent; empty where the refusal is the answer. Only
// a person who came to a page without a session has use for it.
func (r *compiledRoute) loginFor(request *http.Request, presented authn.Presented, refused *authn.Refusal) string {
	switch {
	case r.login.URL == "" || Status(refused.Kind) != http.StatusUnauthorized || refused.StepUp != nil:
		return ""
	case presented.Bearer+presented.Opaque != "" || slices.ContainsFunc(presented.Placed, meantToken) || !web.IsNavigation(request):
		return ""
	case logins(request) >= maxLogins:
		return ""
	}
	return r.signIn(request)
}

// signIn is the way to the login and back; empty where there is none.
func (r *compiledRoute) signIn(request *http.Request) string {
	u, err := url.Parse(r.login.URL)
	if err != nil || r.login.URL == "" || r.login.URL == request.URL.Path {
		return ""
	}
	if back := web.OriginalURI(request); isLocalPath(back) && len(r.login.Origin)+len(back) <= maxReturn {
		q := u.Query()
		q.Set("return_to", r.login.Origin+back)
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// meantToken tells a token that somebody has sent on purpose from one in a cookie.
func meantToken(t authn.Placed) bool { return t.Place.Cookie == "" }

// A browser that comes back without a session is sent again, and the third time told that
// it has none: whatever is wrong, a loop does not mend it. How often it was sent is in a
// cookie that lives for a minute.
const (
	maxLogins   = 2
	loginCookie = "__Host-attest-login"
)

func logins(r *http.Request) int {
	c, err := r.Cookie(loginCookie)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(c.Value)
	if err != nil || n < 0 || n > maxLogins {
		return 0
	}
	return n
}

// Redirect answers a refused request with its way to the login, and tells whether it has
// one. The header is as Announce has left it.
func (p *Proxy) Redirect(w http.ResponseWriter, r *http.Request, refused *authn.Refusal) bool {
	if refused.Location == "" {
		return false
	}
	h := w.Header()
	h.Del("WWW-Authenticate")
	h.Set("Location", refused.Location)
	web.AddToList(h, "Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
	sent := http.Cookie{Name: loginCookie, Value: strconv.Itoa(logins(r) + 1), Path: "/", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	h.Add("Set-Cookie", sent.String())
	w.WriteHeader(http.StatusFound)
	return true
}
