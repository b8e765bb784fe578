package verify

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Config is what a Door is made of.
type Config struct {
	// For is the kind of proxy that asks: one of [Families].
	For string
	// Hosts are the names that requests may be for, in lower case without port, beside the
	// one that the question itself is sent to.
	Hosts []string
	// Headers are those that the proxy takes from the answer, or removes: what the route
	// injects, and where trusted tokens stand. Authorization and Cookie are always of them.
	Headers []string
	// Trusted tells whether the peer is a proxy whose word counts. It is required.
	Trusted func(*http.Request) bool
}

// ConfigError is a mistake in a Config.
type ConfigError struct {
	// Option is spelled as in the configuration language.
	Option string
	// Reason says what is wrong with its value.
	Reason string
}

func (e *ConfigError) Error() string { return "verify: " + e.Option + ": " + e.Reason }

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// Check refuses a kind of proxy that is not known, and what is no host name. The error is a
// *ConfigError.
func (c Config) Check() error {
	if _, known := families[c.For]; !known {
		return &ConfigError{"for", "expected the kind of proxy that asks: " + strings.Join(Families(), ", ")}
	}
	for _, name := range c.Hosts {
		if !nameForm.MatchString(name) {
			return &ConfigError{"hosts " + name, "expected a host name in lower case, without port"}
		}
	}
	return nil
}

// A Door answers one kind of proxy. It is safe for concurrent use.
type Door struct {
	family   family
	hosts    []string
	trusted  func(*http.Request) bool
	replaced []string // what the proxy takes from the answer, or removes
}

// New makes a door of a configuration that Check finds good.
func New(c Config) *Door {
	d := &Door{family: families[c.For], hosts: c.Hosts, trusted: c.Trusted}
	for _, name := range slices.Concat([]string{"Authorization", "Cookie"}, c.Headers) {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(d.replaced, name) {
			d.replaced = append(d.replaced, name)
		}
	}
	return d
}

// Replaced are the headers that the proxy must take from the answer, removing what the
// client sent, and those that it must remove.
func (d *Door) Replaced() (taken, removed []string) { return d.replaced, web.Overrides }

// Request is the request that the question r is about. An error is an *[authn.Refusal].
func (d *Door) Request(r *http.Request) (*http.Request, error) {
	if !d.trusted(r) {
		return nil, authn.Refuse("untrusted_proxy", nil)
	}
	a, ok := d.family.read(r)
	if !ok {
		return nil, authn.Refuse("invalid_forwarded_request", nil)
	}
	if name := hostname(a.host); name != hostname(r.Host) && !slices.Contains(d.hosts, name) {
		return nil, authn.Refuse("unknown_host", nil)
	}
	return a.request(r, d.family.names()), nil
}

// Status is how the proxy is told of a refusal with this status.
func (d *Door) Status(status int) int { return d.family.status(status) }

// Finish gives each cookie of an answer a header of its own, where the proxy reads no more
// than one of a name: Set-Cookie, Set-Cookie-2 and so on.
func (d *Door) Finish(h http.Header) {
	lines := h["Set-Cookie"]
	if !d.family.fewStatuses || len(lines) < 2 {
		return
	}
	h["Set-Cookie"] = lines[:1]
	for i, line := range lines[1:] {
		h["Set-Cookie-"+strconv.Itoa(i+2)] = []string{line}
	}
}

// Grant writes into h what the proxy sends on: of the headers that it takes from the answer
// those that are in admitted. sent are the headers before the request was admitted. What was
// removed from them beyond that the proxy must remove too; where it removes by a list of its
// own, in which other spellings cannot be, the request is refused.
func (d *Door) Grant(h, sent, admitted http.Header) error {
	var gone []string
	for name := range sent {
		if admitted[name] == nil && !slices.Contains(web.Overrides, name) {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	if d.family.removes {
		gone = append(gone, web.Overrides...)
		h.Set("X-Envoy-Auth-Headers-To-Remove", strings.ToLower(strings.Join(gone, ", ")))
	} else if i := slices.IndexFunc(gone, func(name string) bool { return !slices.Contains(d.replaced, name) }); i >= 0 {
		return authn.Refuse("unremovable_header", fmt.Errorf("verify: header %.64q", gone[i]))
	}
	for _, name := range d.replaced {
		if lines := admitted[name]; len(lines) > 0 {
			h[name] = []string{strings.Join(lines, separator(name))}
		}
	}
	return nil
}

// separator stands between lines of one header (RFC 9110 §5.3, RFC 9113 §8.2.3).
func separator(name string) string {
	if name == "Cookie" {
		return "; "
	}
	return ", "
}
