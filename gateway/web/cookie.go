package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// DefaultCookieName has the prefix that makes browsers refuse the cookie unless
// it is Secure, has Path=/ and no Domain (RFC 6265bis §4.1.3.2).
const DefaultCookieName = "__Host-session"

// Cookie is how browsers keep the session token.
type Cookie struct {
	// Name of the cookie. Default: __Host-session, or __Secure-session with a
	// Domain.
	Name string
	// Domain widens the cookie to a domain and all below it. Default: the host alone.
	Domain string
	// SameSite is "lax", "strict" or "none"; none implies Partitioned. Default: lax.
	SameSite string
	// TrustedOrigins are other origins whose pages may send it with what changes something,
	// as https://app.example.com. Default: none.
	TrustedOrigins []string
}

// WithDefaults fills in what is not set.
func (c Cookie) WithDefaults() Cookie {
	if c.Name == "" {
		c.Name = DefaultCookieName
		if c.Domain != "" {
			c.Name = "__Secure-session"
		}
	}
	if c.SameSite == "" {
		c.SameSite = "lax"
	}
	return c
}

// Set is the Set-Cookie line that hands out token until expires.
func (c Cookie) Set(token string, expires, now time.Time) string {
	k := c.attributes()
	k.Value = token
	k.Expires = expires.UTC()
	k.MaxAge = max(1, int(expires.Sub(now)/time.Second))
	return k.String()
}

// Clear is the Set-Cookie line that makes a browser forget it.
func (c Cookie) Clear() string {
	k := c.attributes()
	k.MaxAge = -1
	return k.String()
}

// ClearEvery are the lines that clear each cookie of that name which a browser can
// hold beside another: of the host and of the domain, partitioned and not.
func (c Cookie) ClearEvery() []string {
	var lines []string
	for _, domain := range slices.Compact([]string{c.Domain, ""}) {
		for _, sameSite := range []string{"lax", "none"} {
			lines = append(lines, Cookie{Name: c.Name, Domain: domain, SameSite: sameSite}.Clear())
		}
	}
	return lines
}

func (c Cookie) attributes() *http.Cookie {
	k := &http.Cookie{Name: c.Name, Path: "/", Domain: c.Domain, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	switch c.SameSite {
	case "strict":
		k.SameSite = http.SameSiteStrictMode
	case "none":
		k.SameSite, k.Partitioned = http.SameSiteNoneMode, true
	}
	return k
}

// ErrTwoCookies tells of two different session cookies: one was planted, and nobody
// can tell which.
var ErrTwoCookies = errors.New("two different session cookies")

// read answers the value of the cookie, or "" where there is none.
func (c Cookie) read(r *http.Request) (string, error) {
	if len(r.Header["Cookie"]) == 0 {
		return "", nil
	}
	value := ""
	for _, k := range r.CookiesNamed(c.Name) {
		if value != "" && k.Value != value {
			return "", ErrTwoCookies
		}
		value = k.Value
	}
	return value, nil
}

// Strip takes the cookie out of the request and leaves every other as it was sent:
// the upstream has no use for the session token.
func (c Cookie) Strip(h http.Header) {
	lines := h["Cookie"]
	if len(lines) == 0 {
		return
	}
	var kept []string
	for _, line := range lines {
		if rest := c.without(line); rest != "" {
			kept = append(kept, rest)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

func (c Cookie) without(line string) string {
	if !strings.Contains(line, c.Name) {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.TrimSpace(name) != c.Name {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

// DropFrom removes Set-Cookie lines of that name which an upstream sent: only the
// gateway hands out sessions.
func (c Cookie) DropFrom(h http.Header) {
	lines := h["Set-Cookie"]
	if len(lines) == 0 {
		return
	}
	kept := lines[:0:0]
	for _, line := range lines {
		name, _, _ := strings.Cut(line, "=")
		if strings.TrimSpace(name) != c.Name {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		delete(h, "Set-Cookie")
		return
	}
	h["Set-Cookie"] = kept
}
