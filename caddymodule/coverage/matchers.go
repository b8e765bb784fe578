package coverage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// A condition is what a route's matchers ask for, and how an error names it.
type condition struct {
	formula
	text string
}

// routeCondition is when a route matches: under any of its matcher sets, or always
// if it has none.
func (r *reader) routeCondition(route *caddyhttp.Route) condition {
	sets := r.matcherSets(route.MatcherSetsRaw, route.MatcherSets)
	if len(sets) == 0 {
		return condition{formula: always}
	}
	return anyOfSets(sets)
}

func anyOfSets(sets []condition) condition {
	var c condition
	c.op = opAny
	var texts []string
	for _, set := range sets {
		c.parts = append(c.parts, set.formula)
		texts = append(texts, set.text)
	}
	if slices.ContainsFunc(sets, func(set condition) bool { return set.isAlways() }) {
		return condition{formula: always}
	}
	c.text = strings.Join(texts, " or ")
	return c
}

// matcherSets are the conditions of matcher sets, which Caddy has either loaded or
// left as they were written.
func (r *reader) matcherSets(raw caddyhttp.RawMatcherSets, loaded caddyhttp.MatcherSets) []condition {
	var sets []condition
	for _, set := range raw {
		var matchers []any
		for _, name := range sortedKeys(set) {
			matchers = append(matchers, r.loadMatcher(name, set[name]))
		}
		sets = append(sets, r.matcherSet(matchers))
	}
	for _, set := range loaded {
		sets = append(sets, r.matcherSet(set))
	}
	return sets
}

// A rawMatcher is one that does not load; Caddy refuses the configuration.
type rawMatcher struct {
	name string
	text []byte
}

// loadMatcher loads a matcher as Caddy is going to: loading completes what was
// written, and only what is complete can be compared.
func (r *reader) loadMatcher(name string, raw json.RawMessage) any {
	m, err := r.ctx.LoadModuleByID("http.matchers."+name, raw)
	if err != nil {
		return rawMatcher{name, raw}
	}
	return m
}

// matcherSet is the condition that all matchers match.
func (r *reader) matcherSet(matchers []any) condition {
	c := condition{formula: always}
	var texts []string
	for _, m := range matchers {
		one := r.matcher(m)
		if one.isAlways() {
			continue
		}
		c.parts = append(c.parts, one.formula)
		texts = append(texts, one.text)
	}
	slices.Sort(texts)
	c.text = strings.Join(texts, " ")
	return c
}

// matcher is the condition that one matcher matches.
func (r *reader) matcher(m any) condition {
	if n, ok := m.(*caddyhttp.MatchNot); ok {
		c := anyOfSets(r.matcherSets(n.MatcherSetsRaw, n.MatcherSets))
		return condition{formula: not(c.formula), text: "not " + c.text}
	}
	name, text := matcherText(m)
	if name == kindPath && matchesEveryPath(text) || r.matchesAll(m) {
		return condition{formula: always}
	}
	kind := kindOf(name)
	if !slices.Contains([]string{kindHost, kindPath, kindMethod}, name) {
		text = name + " " + text
	}
	return condition{formula: is(atom{kind, text, r.era(kind)}), text: name + " " + plainText(text)}
}

// matcherText is a matcher's name and what it was configured with.
func matcherText(m any) (name, text string) {
	if raw, ok := m.(rawMatcher); ok {
		return raw.name, string(raw.text)
	}
	name = moduleName(m)
	data, err := json.Marshal(m)
	if err != nil {
		return name, fmt.Sprintf("%p", m) // equal to itself only
	}
	return name, string(data)
}

// matchesAll tells a matcher of another kind that asks for nothing.
func (r *reader) matchesAll(m any) bool {
	switch m := m.(type) {
	case *caddyhttp.MatchRemoteIP:
		return r.overIP && everyIP(m.Ranges)
	case *caddyhttp.MatchClientIP:
		return r.overIP && everyIP(m.Ranges)
	case *caddyhttp.MatchExpression:
		return strings.TrimSpace(m.Expr) == "true"
	}
	return false
}

// everyIP tells ranges that hold every address: none of IPv6 holds one of IPv4.
func everyIP(ranges []string) bool {
	return slices.Contains(ranges, "0.0.0.0/0") && slices.Contains(ranges, "::/0")
}

// onlyIP tells whether all clients of the listeners have an IP address: those of a
// Unix socket have none, and those of a file descriptor may have none.
func onlyIP(listeners []string) bool {
	return !slices.ContainsFunc(listeners, func(text string) bool {
		a, err := caddy.ParseNetworkAddress(text)
		return err != nil || a.IsUnixNetwork() || a.IsFdNetwork()
	})
}

// matchesEveryPath tells a path matcher that asks for nothing.
func matchesEveryPath(text string) bool {
	var patterns []string
	return json.Unmarshal([]byte(text), &patterns) == nil &&
		(slices.Contains(patterns, "*") || slices.Contains(patterns, "/*"))
}

// plainText writes a list as a Caddyfile does.
func plainText(text string) string {
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return strings.Join(list, " ")
	}
	return text
}

func moduleName(v any) string {
	if m, ok := v.(caddy.Module); ok {
		return m.CaddyModule().ID.Name()
	}
	return fmt.Sprintf("%T", v)
}
