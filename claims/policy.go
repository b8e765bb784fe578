package claims

import (
	"maps"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const (
	// MaxBytes is how long effective claims, and an overlay alone, may be as compact
	// JSON in UTF-8, the limit included.
	MaxBytes = 4096
	// MaxDepth is how deep claims, overlays and templates may nest. The object of
	// all claims is level one.
	MaxDepth = 32
)

// Effective is what goes into a JWT: the template rendered, the overlay applied.
// Either may be nil or zero. The result is the caller's own and never nil without
// an error.
//
// The error is an *[Error]: a variable that JSON cannot express, more than
// [MaxBytes] or [MaxDepth], a [Reserved] name, or two names of one object that
// fold to one. Claims are never shortened to fit.
func Effective(t *Template, v Variables, o Overlay) (Object, error) {
	claims, fault := t.render(v)
	if fault != nil {
		return nil, fault
	}
	o.root.apply(claims)
	if fault := check(claims); fault != nil {
		return nil, fault
	}
	return claims, nil
}

// check holds effective claims against the policy. Of several faults it reports
// that of the claim whose name sorts first, so that equal claims have equal
// answers.
func check(claims Object) *Error {
	if strictjson.FoldsTogether(claims) {
		return errTwins.in("")
	}
	var worst *Error
	size := punctuation(len(claims))
	for name, value := range claims {
		n, fault := weigh(name, value)
		size += n
		if fault != nil && (worst == nil || name < worst.Claim) {
			worst = fault
		}
	}
	if worst == nil && size > MaxBytes {
		worst = tooLarge("the claims", size)
	}
	return worst
}

func weigh(name string, value any) (int, *Error) {
	if fault := reservation(name); fault != nil {
		return 0, fault
	}
	if twins(value) {
		return 0, errTwins.in(name)
	}
	return memberSize(name, value), nil
}

// Check holds the overlay alone against the policy, as [Patch] cannot foresee
// what it is joined to: at most [MaxBytes] where it is written as one merge patch,
// deletions as null, and no object in which two names that it sets fold to one.
// Its nesting is bounded already. The error is an *[Error].
func (o Overlay) Check() error {
	if o.root.twins() {
		return errTwins.in("")
	}
	if size := o.root.size(); size > MaxBytes {
		return tooLarge("the changes", size)
	}
	return nil
}

// twins tells whether a value holds an object with names that fold to one, which
// a strict reader, our own included, would refuse.
func twins(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if strictjson.FoldsTogether(v) {
			return true
		}
		for _, member := range v {
			if twins(member) {
				return true
			}
		}
	case []any:
		for _, element := range v {
			if twins(element) {
				return true
			}
		}
	}
	return false
}

// A deleted name leaves no trace in the claims, so it is nobody's twin.
func (d descend) twins() bool {
	set := maps.Clone(d)
	maps.DeleteFunc(set, func(_ string, n node) bool { return n == remove{} })
	if strictjson.FoldsTogether(set) {
		return true
	}
	for _, n := range set {
		switch n := n.(type) {
		case descend:
			if n.twins() {
				return true
			}
		case replace:
			if twins(n.value) {
				return true
			}
		}
	}
	return false
}
