package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A reach is one way to an upstream.
type reach struct {
	place
	listeners listeners // that the way begins at
	text      string    // of the upstream, as configured
	address   address
	cover     *guard  // an attest that admits and stands on the way, for some requests at least
	bare      verdict // whether there are requests that meet no attest
}

// A report collects what the walk meets, and what is wrong with it.
type report struct {
	judge     judge
	shared    map[address]bool
	listeners listeners // of the server that is walked
	server    string    // its name
	servers   map[string][]string
	reaches   []reach
	errors    []string
	warnings  []string
}

// upstream notes a way to an upstream, with what stands on it.
func (r *report) upstream(text string, f *flow, at place) {
	n := reach{place: at, listeners: r.listeners, text: text, address: addressOf(text)}
	way := []formula{at.cond}
	for _, e := range r.meeting(at.cond, f.ends) {
		way = append(way, not(e.cond))
	}
	if !r.possible(way...) {
		return
	}
	var sure, maybe []formula
	for i, g := range f.guards {
		switch {
		case !r.possible(append(slices.Clone(way), g.cond)...):
			continue
		case g.maybe:
			maybe = append(maybe, not(g.cond))
			continue
		case g.admits && n.cover == nil:
			n.cover = &f.guards[i]
		}
		sure = append(sure, not(g.cond))
	}
	n.bare = r.bare(way, sure, maybe)
	if n.bare == certain && r.given(f.changes, way, append(sure, maybe...)) {
		n.bare = unknown
	}
	r.reaches = append(r.reaches, n)
}

// bare decides whether requests come this way past all guards, sure ones and those
// that they may not have met. A way on which none stands is there to be gone.
func (r *report) bare(way, sure, maybe []formula) verdict {
	if len(sure)+len(maybe) == 0 {
		return certain
	}
	way = append(slices.Clone(way), sure...)
	v := decide(r.judge.cube, way...)
	if v == impossible || len(maybe) == 0 || decide(r.judge.cube, append(way, maybe...)...) == certain {
		return v
	}
	return unknown
}

// given tells whether a guard's matchers see, on that way, what a rewrite has written:
// no client chooses then whether they match.
func (r *report) given(changes []change, way, guards []formula) bool {
	return slices.ContainsFunc(changes, func(c change) bool {
		sees := func(a atom) bool { return a.era >= c.era && slices.Contains(c.given, a.kind) }
		return slices.ContainsFunc(guards, func(g formula) bool { return g.has(sees) }) &&
			!r.possible(append(slices.Clone(way), not(c.cond))...)
	})
}

func (r *report) possible(conditions ...formula) bool {
	return decide(r.judge.cube, conditions...) != impossible
}

// meeting are the ends that some request under the condition comes to.
func (r *report) meeting(cond formula, ends []end) []end {
	var met []end
	for _, e := range ends {
		if r.possible(cond, e.cond) {
			met = append(met, e)
		}
	}
	return met
}

// era is the last one of the kind that can have begun for requests at the place.
func (r *report) era(kind string, f *flow, at place) int {
	for _, c := range slices.Backward(f.changes) {
		if !slices.Contains(c.kinds, kind) {
			continue
		}
		way := []formula{at.cond, c.cond}
		for _, e := range r.meeting(at.cond, f.ends) {
			way = append(way, not(e.cond))
		}
		if r.possible(way...) {
			return c.era
		}
	}
	return 0
}

// guard notes an attest that admits: what stands before it and should not.
func (r *report) guard(g guard, f *flow) {
	for _, c := range f.caches {
		if r.possible(c.cond, g.cond) {
			r.warnings = append(r.warnings, fmt.Sprintf(
				"%s stands behind a cache handler, which may answer one member with what another was shown, even if it is marked private, where the upstream sends `Vary: Authorization`; write `cache` inside it: `route { attest …; cache; … }`", g))
		}
	}
	goals := []formula{g.cond}
	upstream := ""
	for _, e := range r.meeting(g.cond, f.ends) {
		goals, upstream = append(goals, not(e.cond)), cmp.Or(upstream, e.upstream)
	}
	if upstream != "" && !r.possible(goals...) {
		r.errors = append(r.errors, fmt.Sprintf("%s is never reached, because upstream %s answers before it; write it before that", g, upstream))
	}
}

// judgeReaches compares the ways to each upstream with each other.
func (r *report) judgeReaches() {
	covers := make(map[address]*guard)
	for _, n := range r.reaches {
		if n.cover != nil && covers[n.address] == nil {
			covers[n.address] = n.cover
		}
	}
	behind := r.behind(covers)
	for _, n := range r.reaches {
		cover := covers[n.address]
		switch {
		case n.bare == impossible || r.shared[n.address]:
		case cover == nil && behind[n.address] != nil:
			r.warnings = append(r.warnings, n.around(behind)...)
		case cover == nil && n.address.isOpen() && len(covers) > 0:
			r.warnings = append(r.warnings, fmt.Sprintf("upstream %s is reached without attest by %s, and may be one that an attest protects; %s", n.text, n.place, remedy(n.text)))
		case cover == nil:
		case n.bare == certain:
			r.errors = append(r.errors, fmt.Sprintf("upstream %s is behind %s, and reached without any attest by %s, so that whoever comes that way can forge what it believes; %s", n.text, cover, n.place, remedy(n.text)))
		default:
			r.warnings = append(r.warnings, fmt.Sprintf("upstream %s is behind %s, and it cannot be told whether every request to it by %s meets an attest; %s", n.text, cover, n.place, remedy(n.text)))
		}
	}
}

// meets notes that the server that is walked leads to a handler.
func (r *report) meets(handler string) {
	if list := r.servers[handler]; !slices.Contains(list, r.server) {
		r.servers[handler] = append(list, r.server)
	}
}

func (r *report) ways() []Way {
	var list []Way
	for _, n := range r.reaches {
		way := Way{Place: n.place.String(), Upstream: n.text}
		if n.cover != nil {
			way.Guard = n.cover.by
		}
		if !slices.Contains(list, way) {
			list = append(list, way)
		}
	}
	return list
}

// remedy is what to write instead.
func remedy(upstream string) string {
	return fmt.Sprintf("write `attest off` there, which removes what could be forged, or in the global attest block `shared_upstream %s` if it shall be reached both ways", upstream)
}

// String names the place as an error does.
func (p place) String() string { return strings.Join(p.words, ", ") }

// String names the guard as an error does.
func (g guard) String() string {
	if g.source == "" {
		return "the attest of " + g.place.String()
	}
	return fmt.Sprintf("the attest of %s (%s)", g.source, g.place)
}
