package claims

import "maps"

// A node is the change of one member: it is removed, replaced, or an object
// whose own members are changed in turn. No node means that it stays.
//
// Nodes never change once made, and their values are as copier makes them.
type node interface {
	// change applies the node to parent[name]. It owns parent.
	change(parent Object, name string)
}

type (
	remove  struct{}
	replace struct{ value any }
	descend map[string]node
)

func (remove) change(parent Object, name string) { delete(parent, name) }

func (r replace) change(parent Object, name string) { parent[name] = clone(r.value) }

// A member that is no object, or is not there, becomes an empty object first (RFC
// 7396 §2).
func (d descend) change(parent Object, name string) {
	within, ok := parent[name].(Object)
	if !ok {
		within = make(Object, len(d))
		parent[name] = within
	}
	d.apply(within)
}

// apply changes the members of an object that the caller owns.
func (d descend) apply(o Object) {
	for name, n := range d {
		n.change(o, name)
	}
}

// merge is d and then next. Neither is changed; the result shares with both.
func (d descend) merge(next descend) descend {
	merged := maps.Clone(d)
	for name, n := range next {
		merged[name] = compose(merged[name], n)
	}
	return merged
}

// compose is first, which may be nil, and then next.
func compose(first, next node) node {
	inner, ok := next.(descend)
	if !ok {
		return next // what was said before no longer matters
	}
	switch first := first.(type) {
	case descend:
		return first.merge(inner)
	case replace:
		return inner.replacement(first.value)
	case remove:
		return inner.replacement(nil)
	}
	return next // nothing was said before
}

// replacement is the replacement that d makes of a value that itself replaced what was
// there. It must not descend: the base has no effect here any more.
func (d descend) replacement(value any) replace {
	object, ok := clone(value).(Object)
	if !ok {
		object = make(Object, len(d))
	}
	d.apply(object)
	return replace{object}
}

// patch is the node of a value in a merge patch, nil where it is left out.
func (c *copier) patch(v any, depth int) node {
	if object, ok := v.(Object); ok {
		return c.patchObject(object, depth)
	}
	copied, ok := c.value(v, depth)
	switch {
	case !ok:
		return nil
	case copied == nil:
		return remove{}
	}
	return replace{copied}
}

func (c *copier) patchObject(o Object, depth int) node {
	if depth <= 0 {
		c.refuse(errTooDeep)
		return nil
	}
	d := make(descend, len(o))
	for name, member := range o {
		before := c.fault
		if n := c.patch(member, depth-1); n != nil && c.name(name) {
			d[name] = n
		}
		c.nameMember(before, name)
	}
	return d
}
