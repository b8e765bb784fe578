package proxy

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Forward is where the upstream finds the JWT.
type Forward struct {
	// Header is the header's name: letters, digits and hyphens. Default: Authorization.
	Header string
	// Scheme stands before the JWT, with a space. Default: Bearer in Authorization,
	// none elsewhere.
	Scheme string
	// None keeps the JWT from the upstream, which receives copied claims alone.
	None bool
}

// WithDefaults fills in what is not set.
func (f Forward) WithDefaults() Forward {
	if f.None {
		return Forward{None: true}
	}
	if f.Header == "" {
		f.Header = "Authorization"
	}
	f.Header = http.CanonicalHeaderKey(f.Header)
	if f.Header == "Authorization" && f.Scheme == "" {
		f.Scheme = "Bearer"
	}
	return f
}

// ConfigError is a mistake in a Forward.
type ConfigError struct {
	// Option is spelled as in the configuration language.
	Option string
	// Reason says what is wrong with its value.
	Reason string
}

func (e *ConfigError) Error() string { return "proxy: " + e.Option + ": " + e.Reason }

var (
	headerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)
)

// Check refuses names that do not carry the JWT to the upstream. An underscore or a
// dot would make the name one of several spellings of another header; a header of the
// protocol's own never arrives, or breaks the request. The error is a *ConfigError.
func (f Forward) Check() error {
	written := f.Header
	if f.None && f.Header+f.Scheme != "" {
		return &ConfigError{"forward_jwt", "expected none alone, without header and scheme"}
	}
	switch f = f.WithDefaults(); {
	case f.None:
		return nil
	case !headerForm.MatchString(f.Header):
		return &ConfigError{"forward_jwt", "expected a header of letters, digits and -"}
	case hasMeaning(f.Header):
		return &ConfigError{"forward_jwt", "'" + written + "' has a meaning of its own in HTTP; expected authorization or a header such as X-Session-Jwt"}
	case f.Scheme != "" && !schemeForm.MatchString(f.Scheme):
		return &ConfigError{"forward_jwt", "expected a scheme of letters, digits, _ and -"}
	}
	return nil
}

// CheckCopies is Check for the headers of copied claims, which are not that of the JWT.
func CheckCopies(copies []authn.Copy, f Forward) error {
	seen := []string{f.WithDefaults().Header}
	for _, c := range copies {
		switch {
		case !headerForm.MatchString(c.Header):
			return &ConfigError{"copy_claims", "expected <claim>><Header>, of letters, digits and -"}
		case hasMeaning(c.Header) && !slices.Contains(identityHeaders, strings.ToLower(c.Header)) || strings.EqualFold(c.Header, "authorization"):
			return &ConfigError{"copy_claims", "'" + c.Header + "' has a meaning of its own in HTTP; expected a header such as X-User-Id"}
		case slices.ContainsFunc(seen, func(other string) bool { return web.SameHeader(other, c.Header) }):
			return &ConfigError{"copy_claims", "'" + c.Header + "' carries something else already"}
		}
		seen = append(seen, c.Header)
	}
	return nil
}

// identityHeaders are those of the X-Forwarded ones that say who somebody is, as apps read
// them.
var identityHeaders = []string{"x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username"}

func hasMeaning(header string) bool {
	name := strings.ToLower(header)
	return slices.Contains(unforwardable, name) || strings.HasPrefix(name, "x-forwarded-")
}

// unforwardable are headers that say something about the message or its sender
// already, or that proxies read, drop or rewrite on the way.
var unforwardable = []string{
	"accept", "accept-encoding", "accept-language", "age", "allow", "alt-used", "cache-control", "connection",
	"content-disposition", "content-encoding", "content-language", "content-length", "content-location",
	"content-range", "content-type", "cookie", "date", "dpop", "expect", "forwarded", "from", "host", "http2-settings",
	"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive",
	"last-event-id", "max-forwards", "origin", "pragma", "proxy-authenticate", "proxy-authorization",
	"proxy-connection", "range", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
	"user-agent", "via", "www-authenticate", "x-real-ip",
}

// set puts the JWT into h as the one value of the header.
func (f Forward) set(h http.Header, d authn.Decision) {
	value := d.JWT
	switch {
	case f.None:
		return
	case f.Scheme == "":
	case f.Scheme == "Bearer":
		value = d.Bearer
	default:
		value = f.Scheme + " " + d.JWT
	}
	h[f.Header] = []string{value}
}
