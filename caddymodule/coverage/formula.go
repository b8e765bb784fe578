package coverage

import "slices"

// An atom is one matcher. Atoms are equal if they match the same requests: the
// same text, at the same time in a request's life.
type atom struct {
	kind string // what of a request the matcher looks at
	text string // the matcher's configuration in JSON
	era  int    // the last that can have begun for the requests, 0 if none changed before
}

// A formula says which requests a condition holds for.
type formula struct {
	op    operator
	atom  atom
	parts []formula
}

type operator int

const (
	opAll operator = iota // every part; no part: always
	opAny                 // some part; no part: never
	opNot                 // not the only part
	opAtom
)

var always = formula{op: opAll}

func is(a atom) formula              { return formula{op: opAtom, atom: a} }
func not(f formula) formula          { return formula{op: opNot, parts: []formula{f}} }
func allOf(parts ...formula) formula { return formula{op: opAll, parts: parts} }
func anyOf(parts ...formula) formula { return formula{op: opAny, parts: parts} }

// isAlways tells whether nothing is asked of a request.
func (f formula) isAlways() bool { return f.op == opAll && len(f.parts) == 0 }

// has tells whether one of the formula's atoms is such.
func (f formula) has(such func(atom) bool) bool {
	if f.op == opAtom {
		return such(f.atom)
	}
	return slices.ContainsFunc(f.parts, func(part formula) bool { return part.has(such) })
}

// negated is the negation of a formula, with the negation moved inwards.
func (f formula) negated() formula {
	switch f.op {
	case opNot:
		return f.parts[0]
	case opAtom:
		return not(f)
	}
	parts := make([]formula, len(f.parts))
	for i, part := range f.parts {
		parts[i] = not(part)
	}
	if f.op == opAll {
		return anyOf(parts...)
	}
	return allOf(parts...)
}
