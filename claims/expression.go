package claims

// An expression is a compiled value of a template. It renders to nothing (false)
// where a variable is missing or null; depth is how many levels of nesting it may
// add.
type expression interface {
	render(r *rendering, depth int) (any, bool)
}

// rendering is one evaluation of a template.
type rendering struct {
	copier
	variables Variables
}

type (
	// literal is a string, a number, or one of true, false and null.
	literal struct{ scalar any }
	// lookup is a variable by its path.
	lookup []string
	// actions is member.rbac.<resource>.actions, by the resource.
	actions string
	// tokenClaim is token.<claim path>, by the path.
	tokenClaim string
	// defaulted is a variable with a value for where it is missing.
	defaulted struct{ value, otherwise expression }
	array     []expression
	// object has its members in the order of the text.
	object []member
	member struct {
		name  string
		value expression
	}
)

func (l literal) render(*rendering, int) (any, bool) { return l.scalar, l.scalar != nil }

func (l lookup) render(r *rendering, depth int) (any, bool) {
	v, ok := r.value(r.variables.find(l...), depth)
	return v, ok && v != nil
}

// A member without rights on a resource has an empty list of actions: the claim
// is there, so that its readers need not handle its absence.
func (a actions) render(r *rendering, depth int) (any, bool) {
	v, ok := r.value(r.variables.find(memberRoot, "rbac", string(a), "actions"), depth)
	if ok && v == nil {
		return []any{}, true
	}
	return v, ok
}

func (c tokenClaim) render(r *rendering, depth int) (any, bool) {
	v, ok := r.value(r.variables.find(tokenRoot, string(c)), depth)
	return v, ok && v != nil
}

func (d defaulted) render(r *rendering, depth int) (any, bool) {
	if v, ok := d.value.render(r, depth); ok {
		return v, true
	}
	return d.otherwise.render(r, depth)
}

func (a array) render(r *rendering, depth int) (any, bool) {
	list := make([]any, 0, len(a))
	for _, e := range a {
		if v, ok := e.render(r, depth-1); ok {
			list = append(list, v)
		}
	}
	return list, true
}

func (o object) render(r *rendering, depth int) (any, bool) {
	rendered := make(Object, len(o))
	for _, m := range o {
		before := r.fault
		if v, ok := m.value.render(r, depth-1); ok {
			rendered[m.name] = v
		}
		r.nameMember(before, m.name)
	}
	return rendered, true
}
