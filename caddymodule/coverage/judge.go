package coverage

import "slices"

// Kinds of matchers that are decided by trying requests. All others are known by
// their text alone.
const (
	kindHost   = "host"
	kindPath   = "path"
	kindMethod = "method"
)

// anything is the kind of the matchers that may look at any part of a request.
const anything = "anything"

// kindOf is what the matcher of that module name looks at.
func kindOf(name string) string {
	switch name {
	case kindHost, kindPath, kindMethod, "protocol", "query", "header", "tls", "file":
		return name
	case "path_regexp":
		return kindPath
	case "header_regexp":
		return "header"
	case "remote_ip", "client_ip":
		return "address"
	}
	return anything
}

// A judge knows what matchers mean together.
type judge struct{ patterns map[atom]patterns }

// cube tells whether a request exists for which all matchers of the cube have their
// values. Matchers of different kinds look at different things, and a single matcher
// is taken to match some requests and not others.
func (j judge) cube(c cube) verdict {
	kinds := make(map[string]cube)
	for a, value := range c {
		if kinds[a.kind] == nil {
			kinds[a.kind] = make(cube)
		}
		kinds[a.kind][a] = value
	}
	v := certain
	for kind, literals := range kinds {
		v = min(v, j.kind(kind, literals))
	}
	if kinds[anything] != nil && len(c)-len(kinds[kindHost]) > 1 {
		v = min(v, unknown)
	}
	return v
}

// kind is cube for matchers of one kind.
func (j judge) kind(kind string, literals cube) verdict {
	for _, era := range literals.eras() {
		if j.contradicts(kind, era) {
			return impossible
		}
	}
	if len(literals) == 1 || j.hasWitness(kind, literals) {
		return certain
	}
	return unknown
}

// eras are the literals by their time: what a matcher saw before a rewrite does not
// contradict what another saw after it.
func (c cube) eras() map[int]cube {
	eras := make(map[int]cube)
	for a, value := range c {
		if eras[a.era] == nil {
			eras[a.era] = make(cube)
		}
		eras[a.era][a] = value
	}
	return eras
}

// hasWitness tells whether some request, left as it is on its way, satisfies the
// literals.
func (j judge) hasWitness(kind string, literals cube) bool {
	var all []string
	for a := range literals {
		p := j.patternsOf(a)
		if !p.plain {
			return false
		}
		all = append(all, p.texts...)
	}
	return slices.ContainsFunc(samples(kind, all), func(sample string) bool { return j.holds(kind, literals, sample) })
}

// holds tells whether the sample satisfies all literals.
func (j judge) holds(kind string, literals cube, sample string) bool {
	for a, value := range literals {
		if matches(kind, j.patternsOf(a).texts, sample) != value {
			return false
		}
	}
	return true
}

// contradicts tells whether no request satisfies the literals, which see the same
// request.
func (j judge) contradicts(kind string, literals cube) bool {
	for a, value := range literals {
		p := j.patternsOf(a)
		if !p.plain || !value {
			continue
		}
		if len(literals) > 1 && p.exact() && j.decidable(literals) && !j.hasWitness(kind, literals) {
			return true // every request that matches was tried
		}
		for b, other := range literals {
			q := j.patternsOf(b)
			if a != b && q.plain && kind == kindPath && (other && p.disjoint(q) || !other && p.within(q)) {
				return true
			}
		}
	}
	return false
}

// decidable tells whether all literals can be tried.
func (j judge) decidable(literals cube) bool {
	for a := range literals {
		if !j.patternsOf(a).plain {
			return false
		}
	}
	return true
}

// patternsOf are the patterns of a matcher.
func (j judge) patternsOf(a atom) patterns {
	p, ok := j.patterns[a]
	if !ok {
		p = readPatterns(a.text)
		j.patterns[a] = p
	}
	return p
}
