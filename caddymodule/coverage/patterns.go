package coverage

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Patterns are those of hosts, paths or methods in a matcher.
type patterns struct {
	texts []string
	plain bool // they can be tried: there are some, and none holds a placeholder
}

func readPatterns(text string) patterns {
	var p patterns
	err := json.Unmarshal([]byte(text), &p.texts)
	p.plain = err == nil && !slices.ContainsFunc(p.texts, func(t string) bool { return strings.ContainsAny(t, "{%") })
	return p
}

// exact tells patterns that match only their own texts.
func (p patterns) exact() bool { return !slices.ContainsFunc(p.texts, isPattern) }

func isPattern(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// samples are texts that match the patterns, or none of them.
func samples(kind string, patterns []string) []string {
	const other = "attest-probe"
	var all []string
	for _, p := range patterns {
		if !strings.Contains(p, "*") {
			all = append(all, p)
			continue
		}
		for _, filler := range []string{other, "", "/"} {
			all = append(all, strings.ReplaceAll(p, "*", filler))
		}
	}
	switch kind {
	case kindPath:
		return append(all, "/"+other, "/")
	case kindHost:
		return append(all, other+".invalid")
	}
	return append(all, "ATTEST")
}

// matches asks Caddy's own matcher.
func matches(kind string, patterns []string, sample string) bool {
	r := &http.Request{Method: http.MethodGet, Host: "attest.invalid", URL: &url.URL{Path: "/"}}
	r = r.WithContext(context.WithValue(context.Background(), caddy.ReplacerCtxKey, caddy.NewReplacer()))
	switch kind {
	case kindHost:
		r.Host = sample
		return caddyhttp.MatchHost(patterns).Match(r)
	case kindPath:
		if !strings.HasPrefix(sample, "/") {
			return false
		}
		r.URL.Path = sample
		return caddyhttp.MatchPath(patterns).Match(r)
	}
	r.Method = sample
	return caddyhttp.MatchMethod(patterns).Match(r)
}

// fixed is what every path that matches the pattern begins with, and whether every
// path that begins so matches.
func fixed(pattern string) (prefix string, whole bool) {
	i := strings.IndexAny(pattern, `*?[\`)
	if i < 0 {
		return pattern, false
	}
	return pattern[:i], i == len(pattern)-1 && pattern[i] == '*'
}

// disjoint tells whether no path matches both.
func (p patterns) disjoint(q patterns) bool {
	for _, a := range p.texts {
		for _, b := range q.texts {
			x, _ := fixed(a)
			y, _ := fixed(b)
			if strings.HasPrefix(x, y) || strings.HasPrefix(y, x) {
				return false
			}
		}
	}
	return true
}

// within tells whether every path that matches p matches q.
func (p patterns) within(q patterns) bool {
	for _, a := range p.texts {
		x, _ := fixed(a)
		if !slices.ContainsFunc(q.texts, func(b string) bool {
			y, whole := fixed(b)
			return whole && strings.HasPrefix(x, y)
		}) {
			return false
		}
	}
	return true
}
