package trust

// overlaps tells whether some iss would match both.
func (i issuer) overlaps(other issuer) bool {
	m := overlapSearch{i.pattern(), other.pattern(), map[[2]int]bool{}}
	return m.search(0, 0)
}

// element of a pattern: a literal byte, one byte of a capture, or its further bytes.
type element struct {
	literal  byte
	capture  bool // one byte of a capture
	repeated bool // none or more bytes of a capture
}

func (i issuer) pattern() (p []element) {
	for n, literal := range i.literals {
		for _, c := range []byte(literal) {
			p = append(p, element{literal: c})
		}
		if n < len(i.captures) {
			p = append(p, element{capture: true}, element{repeated: true})
		}
	}
	return p
}

// overlapSearch looks for a text that both patterns match. Captures count as unbounded,
// so that it may report an overlap where there is none, never the reverse.
type overlapSearch struct {
	a, b    []element
	visited map[[2]int]bool
}

// search tells whether some text matches the rest of a from i on and of b from j on.
func (m overlapSearch) search(i, j int) bool {
	if i == len(m.a) && j == len(m.b) {
		return true
	}
	at := [2]int{i, j}
	if m.visited[at] {
		return false
	}
	m.visited[at] = true // a successful search returns at once, so what was visited has failed
	switch {
	case i < len(m.a) && m.a[i].repeated:
		return m.search(i+1, j) || j < len(m.b) && m.b[j].matchesCapture() && m.search(i, j+1)
	case j < len(m.b) && m.b[j].repeated:
		return m.search(i, j+1) || i < len(m.a) && m.a[i].matchesCapture() && m.search(i+1, j)
	case i < len(m.a) && j < len(m.b):
		return m.a[i].matches(m.b[j]) && m.search(i+1, j+1)
	}
	return false
}

func (e element) matchesCapture() bool { return e.capture || e.repeated || inCapture(e.literal) }

func (e element) matches(other element) bool {
	switch {
	case e.capture:
		return other.matchesCapture()
	case other.capture:
		return e.matchesCapture()
	}
	return e.literal == other.literal
}
