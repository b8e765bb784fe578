package claims

import "github.com/attestgate/caddy-attest/internal/strictjson"

// prune leaves out deletions that change nothing, so that what callers deleted
// does not pile up in the session.
func (o Overlay) prune(templates []*Template, v Variables) Overlay {
	pruned := o.root.prune(roots(templates, func(t *Template) expression { return t.root }))
	var m measure
	if m.deletions(pruned); m.bytes > MaxBytes {
		pruned = pruned.prune(roots(templates, func(t *Template) expression { return constant(t.Render(v)) }))
	}
	return Overlay{pruned}
}

func roots(templates []*Template, root func(*Template) expression) (all []expression) {
	for _, t := range templates {
		if t != nil {
			all = append(all, root(t))
		}
	}
	return all
}

// prune leaves out deletions of names that none of the expressions, which are what
// may stand at this place, can have.
func (d descend) prune(bases []expression) descend {
	pruned := make(descend, len(d))
	for name, n := range d {
		below := memberExpressions(bases, name)
		switch inner := n.(type) {
		case remove:
			if len(below) == 0 {
				continue
			}
		case descend:
			n = inner.prune(below)
		}
		pruned[name] = n
	}
	return pruned
}

// memberExpressions are the expressions that may make the member of that name.
func memberExpressions(bases []expression, name string) (below []expression) {
	for _, base := range bases {
		switch base := base.(type) {
		case object:
			for _, m := range base {
				if m.name == name {
					below = append(below, m.value)
				}
			}
		case lookup:
			if base.isMetadata() {
				below = append(below, base) // its names are not known, at any depth
			}
		case tokenClaim:
			below = append(below, base) // likewise
		case defaulted:
			below = append(below, memberExpressions([]expression{base.value, base.otherwise}, name)...)
		}
	}
	return below
}

// isMetadata tells whether the variable may be an object: the others are texts and
// lists of texts.
func (l lookup) isMetadata() bool { return len(l) > 1 && l[1] == metadata }

// constant is the expression that renders to v.
func constant(v any) expression {
	switch v := v.(type) {
	case Object:
		all := make(object, 0, len(v))
		for name, value := range v {
			all = append(all, member{name, constant(value)})
		}
		return all
	case []any:
		all := make(array, len(v))
		for i, value := range v {
			all[i] = constant(value)
		}
		return all
	}
	return literal{v}
}

// deleteFolded takes out of o, to which d was applied, the names that are not d's
// and fold to one that d sets.
func (d descend) deleteFolded(o Object) {
	if strictjson.FoldsTogether(o) {
		set := map[string]bool{}
		for name, n := range d {
			set[strictjson.Fold(name)] = set[strictjson.Fold(name)] || n != remove{}
		}
		for name := range o {
			if _, own := d[name]; !own && set[strictjson.Fold(name)] {
				delete(o, name)
			}
		}
	}
	for name, n := range d {
		if inner, ok := n.(descend); ok {
			inner.deleteFolded(o[name].(Object))
		}
	}
}
