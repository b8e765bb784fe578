package desk

import (
	"embed"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
)

//go:embed static
var files embed.FS

// Config is what a page is made of.
type Config struct {
	// Admin answers the admin API under /attest/. What it refuses (changes, where it
	// is read-only) the page shows as refused. Required.
	Admin http.Handler
	// Hosts are the names under which the page may be asked for, without port, beside
	// loopback names and addresses. Default: none.
	Hosts []string
}

// New makes the handler of the page. Its URLs are relative, so that it also works
// behind a path that was stripped.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", serveFile)
	mux.Handle("/api/", http.StripPrefix("/api", underAttest(c.Admin)))
	return guard{hosts: c.Hosts, next: mux}
}

// contentTypes are those of the files, whatever this machine's own table says.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func serveFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	data, err := files.ReadFile("static/" + name)
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("desk: there is no such file\n"))
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	_, _ = w.Write(data)
}

// underAttest asks the admin API where its own paths begin.
func underAttest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := r.Clone(r.Context())
		inner.URL.Path, inner.URL.RawPath = "/attest"+r.URL.Path, ""
		next.ServeHTTP(w, inner)
	})
}

// guard keeps pages of other sites from everything behind it.
type guard struct {
	hosts []string
	next  http.Handler
}

// policy is the Content-Security-Policy of every answer.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	if reason := g.refusal(r); reason != "" {
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	g.next.ServeHTTP(w, r)
}

// refusal is why the request is not answered, or empty.
func (g guard) refusal(r *http.Request) string {
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case !g.answers(r.Host):
		return "desk: the page is not served under this host"
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		if site == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			return "desk: a page of another site asks"
		}
	case site != "same-origin":
		return "desk: expected Sec-Fetch-Site same-origin"
	case !isJSON(r.Header.Get("Content-Type")):
		return "desk: expected Content-Type application/json"
	}
	return ""
}

// answers tells whether the page may be asked for under the host.
func (g guard) answers(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(g.hosts, host) {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}
