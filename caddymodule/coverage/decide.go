package coverage

import "maps"

// A verdict says whether there are requests for which a condition holds.
type verdict int

const (
	impossible verdict = iota
	unknown
	certain
)

// A cube is a set of matchers that match (true) or do not match (false).
type cube map[atom]bool

// A search looks for a cube in which all its goals hold. Its steps are bounded:
// the worst case of a search doubles with every alternative.
type search struct {
	steps int
	best  verdict
	judge func(cube) verdict
}

const maxSteps = 20_000

// decide tells whether some request satisfies all the formulas: judge has the last
// word on what matchers mean together.
func decide(judge func(cube) verdict, goals ...formula) verdict {
	s := search{steps: maxSteps, judge: judge}
	s.run(cube{}, goals)
	return s.best
}

// run satisfies the goals that leave no choice, then tries the alternatives of one
// that does.
func (s *search) run(known cube, goals []formula) {
	if s.steps--; s.steps < 0 {
		s.best = max(s.best, unknown)
	}
	if s.steps < 0 || s.best == certain {
		return
	}
	known = maps.Clone(known)
	open, ok := reduce(known, goals)
	if !ok {
		return
	}
	v := s.judge(known)
	if v == impossible || len(open) == 0 {
		s.best = max(s.best, v)
		return
	}
	for _, alternative := range open[0].parts {
		s.run(known, append([]formula{alternative}, open[1:]...))
	}
}

// reduce adds to the cube what the goals demand, and answers those of them that
// are alternatives. It is not ok if they contradict each other.
func reduce(known cube, goals []formula) (open []formula, ok bool) {
	for len(goals) > 0 {
		goal := goals[0]
		goals = goals[1:]
		switch {
		case goal.op == opAll:
			goals = append(goal.parts[:len(goal.parts):len(goal.parts)], goals...)
		case goal.op == opAny:
			open = append(open, goal)
		case goal.op == opAtom:
			if !known.add(goal.atom, true) {
				return nil, false
			}
		case goal.parts[0].op == opAtom:
			if !known.add(goal.parts[0].atom, false) {
				return nil, false
			}
		default:
			goals = append([]formula{goal.parts[0].negated()}, goals...)
		}
	}
	return open, true
}

// add tells whether the atom can have the value.
func (c cube) add(a atom, value bool) bool {
	if old, ok := c[a]; ok {
		return old == value
	}
	c[a] = value
	return true
}
