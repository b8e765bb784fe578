package verify

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/web"
)

// asked is what a question says of the request that it is about.
type asked struct {
	method, uri, host, proto string
	url                      *url.URL
}

// maxURI bounds path and query, in bytes.
const maxURI = 16 << 10

var (
	methodForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$") // a token (RFC 9110 §5.6.2)
	hostForm   = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
)

// parse tells whether all of it can be read as the request line and Host that it came from.
func (a *asked) parse() bool {
	switch a.proto { // Traefik says ws and wss of WebSockets
	case "ws":
		a.proto = "http"
	case "wss":
		a.proto = "https"
	}
	if a.proto != "http" && a.proto != "https" || !methodForm.MatchString(a.method) || !hostForm.MatchString(a.host) {
		return false
	}
	if !strings.HasPrefix(a.uri, "/") || len(a.uri) > maxURI {
		return false
	}
	u, err := url.ParseRequestURI(a.uri)
	a.url = u
	return err == nil && u.Host == "" && u.Scheme == ""
}

// hostname is the host in lower case, without the port.
func hostname(host string) string {
	u := url.URL{Host: host}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

// request is the request that is asked about, as far as the question r tells. Its headers
// are its own, without those that the question is asked in; it has no body.
func (a *asked) request(r *http.Request, names []string) *http.Request {
	// The connection is the proxy's: that it may end on this machine says nothing about the
	// client.
	ctx := context.WithValue(r.Context(), http.LocalAddrContextKey, nil)
	about := web.WithScheme(r.WithContext(web.WithOriginal(r.WithContext(ctx), a.url).Context()), a.proto)
	about.Method, about.URL, about.RequestURI, about.Host, about.TLS = a.method, a.url, a.uri, a.host, nil
	about.Body, about.ContentLength, about.TransferEncoding, about.Trailer = http.NoBody, 0, nil, nil
	about.Header = r.Header.Clone()
	for _, name := range names {
		about.Header.Del(name)
	}
	about.Header.Del("Connection")
	if upgrades(about.Header) {
		about.Header.Set("Upgrade", "websocket")
	}
	return about
}

// upgrades tells a WebSocket whose Upgrade the proxy has kept for itself: it is a header of
// one connection, and these are not (RFC 6455 §4.1).
func upgrades(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			return true
		}
	}
	return false
}
