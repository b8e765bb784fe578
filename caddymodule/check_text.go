package caddymodule

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/claims"
)

// url refuses what is not an absolute URL of a scheme, or holds more than an
// address.
func (c *checker) url(at where, text string, schemes ...string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) || !isLabel(text) {
		c.refuse(at, "expected a URL that begins with %s", oneOf(prefixes(schemes)...))
		return
	}
	if u.User != nil || u.Fragment != "" {
		c.refuse(at, "expected a URL without credentials and without a fragment")
	}
}

func prefixes(schemes []string) []string {
	var all []string
	for _, scheme := range schemes {
		all = append(all, scheme+"://")
	}
	return all
}

// isLoopbackURL tells whether a URL names this machine, in a way that no name
// server has a say in.
func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isLoopbackHost(u.Hostname())
}

func isLoopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func isDomain(text string) bool { return len(text) <= 253 && domainForm.MatchString(text) }

// isPath tells whether a text can name a file at all.
func isPath(text string) bool { return text != "" && !strings.ContainsRune(text, 0) }

// templateProblem is what is wrong with a template, counted in its own lines.
func templateProblem(at where, err error) *problem {
	var syntax *claims.SyntaxError
	if !errors.As(err, &syntax) {
		return &problem{where: at, text: err.Error()}
	}
	return &problem{
		where: at,
		text:  fmt.Sprintf("line %d, column %d: %s", syntax.Line, syntax.Column, syntax.Message),
		line:  syntax.Line,
	}
}
