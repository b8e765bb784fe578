package trust

// overlaps tells whether some iss would match both.
func (i issuer) overlaps(other issuer) bool {
	m := meeting{i.pattern(), other.pattern(), map[[2]int]bool{}}
	return m.from(0, 0)
}

// element of a pattern: a byte, a byte of a capture, or any more of them.
type element struct {
	literal byte
	any     bool // one byte of a capture
	more    bool // none or more bytes of a capture
}

func (i issuer) pattern() (p []element) {
	for n, literal := range i.literals {
		for _, c := range []byte(literal) {
			p = append(p, element{literal: c})
		}
		if n < len(i.captures) {
			p = append(p, element{any: true}, element{more: true})
		}
	}
	return p
}

// meeting looks for a text that both patterns match. Captures are taken for
// unbounded, so that it errs towards an overlap.
type meeting struct {
	a, b []element
	dead map[[2]int]bool
}

func (m meeting) from(i, j int) bool {
	if i == len(m.a) && j == len(m.b) {
		return true
	}
	at := [2]int{i, j}
	if m.dead[at] {
		return false
	}
	m.dead[at] = true // if it is not, the walk ends at once
	switch {
	case i < len(m.a) && m.a[i].more:
		return m.from(i+1, j) || j < len(m.b) && m.b[j].captured() && m.from(i, j+1)
	case j < len(m.b) && m.b[j].more:
		return m.from(i, j+1) || i < len(m.a) && m.a[i].captured() && m.from(i+1, j)
	case i < len(m.a) && j < len(m.b):
		return m.a[i].meets(m.b[j]) && m.from(i+1, j+1)
	}
	return false
}

func (e element) captured() bool { return e.any || e.more || inCapture(e.literal) }

func (e element) meets(other element) bool {
	switch {
	case e.any:
		return other.captured()
	case other.any:
		return e.captured()
	}
	return e.literal == other.literal
}
