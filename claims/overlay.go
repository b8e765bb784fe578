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
// a matter of [Overlay.Check] and [Effective]. The patch is copied.
func Patch(p Object) (Overlay, error) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if fault := reservation(name); fault != nil {
			return Overlay{}, fault
		}
	}
	var c copying
	root := c.patch(p, MaxDepth)
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

// Apply is base with the changes made and without null members. It is the
// caller's own: base is not changed, and nothing in the result is shared with
// base or with the overlay. It is never nil.
func (o Overlay) Apply(base Object) Object {
	var c copying
	copied, _ := c.object(base, math.MaxInt)
	result := copied.(Object)
	o.root.apply(result)
	return result
}

// IsZero tells whether the overlay changes nothing, whatever it is applied to.
func (o Overlay) IsZero() bool { return len(o.root) == 0 }
