package claims

import (
	"maps"
	"math"
	"slices"
)

// Overlay is the changes that callers have made to a session's claims. The zero
// value changes nothing. An Overlay never changes: Then makes a new one. It is
// stored as JSON (see [Overlay.MarshalJSON]).
type Overlay struct{ root descend }

// Patch makes the overlay of one merge patch (RFC 7396): null deletes a member,
// an object is merged into what stands there, anything else replaces it. Arrays
// are never merged; null elements in them stay, null members of objects in them
// do not.
//
// It refuses, with an *[Error], a reserved name at the top level, whatever its
// value; values that JSON cannot express; and nesting beyond [MaxDepth]. Size is
// a matter of [Overlay.Change] and [Policy.Effective]. The patch is copied.
func (p Policy) Patch(patch Object) (Overlay, error) {
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		if fault := p.reservation(name); fault != nil {
			return Overlay{}, fault
		}
	}
	var c copier
	root := c.patch(patch, MaxDepth)
	if c.fault != nil {
		return Overlay{}, c.fault
	}
	return Overlay{root.(descend)}, nil
}

// Then is the overlay that does what o does and then what next does.
func (o Overlay) Then(next Overlay) Overlay {
	if o.IsZero() {
		return next
	}
	if next.IsZero() {
		return o
	}
	return Overlay{o.root.merge(next.root)}
}

// Change is what a session keeps: the overlay, then the patch, without the
// deletions that change nothing. Those are deletions of names that none of the
// templates has and, where the others still come to more than [MaxBytes], of names
// that none of them renders to with these variables.
//
// What the overlay sets may come to MaxBytes, written as one merge patch; more is
// refused with an *[Error], unless it is no more than was kept already. Deletions do
// not count, so a patch that only deletes is never refused. Two names that it sets
// in one object and that fold to one are refused as well.
func (o Overlay) Change(patch Overlay, templates []*Template, v Variables) (Overlay, error) {
	next := o.Then(patch).prune(templates, v)
	if fault := next.root.fault(); fault != nil && (fault.Code != CodeTooLarge || next.size() > o.size()) {
		return Overlay{}, fault
	}
	return next, nil
}

// Check is what [Overlay.Change] would refuse of the overlay alone.
func (o Overlay) Check() error {
	if fault := o.root.fault(); fault != nil {
		return fault
	}
	return nil
}

// Apply is base with the changes made and without null members. It is the
// caller's own: base is not changed, and nothing in the result is shared with
// base or with the overlay. It is never nil.
func (o Overlay) Apply(base Object) Object {
	var c copier
	copied, _ := c.object(base, math.MaxInt)
	result := copied.(Object)
	o.root.apply(result)
	return result
}

// IsZero tells whether the overlay changes nothing, whatever it is applied to.
func (o Overlay) IsZero() bool { return len(o.root) == 0 }
