package claims

import "github.com/attestgate/caddy-attest/internal/strictjson"

const (
	// MaxBytes is how long effective claims, and an overlay alone, may be as compact
	// JSON in UTF-8, the limit included.
	MaxBytes = 4096
	// MaxDepth is how deep claims, overlays and templates may nest. The object of
	// all claims is level one.
	MaxDepth = 32
)

// Effective is what goes into a JWT: the template rendered, the overlay applied.
// Either may be nil or zero. The result is the caller's own and, without an
// error, never nil.
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
	var whole measure
	var worst *Error
	whole.punctuation(len(claims))
	for name, value := range claims {
		fault := whole.claim(name, value)
		if fault != nil && (worst == nil || name < worst.Claim) {
			worst = fault
		}
	}
	switch {
	case worst != nil:
		return worst
	case strictjson.FoldsTogether(claims):
		return errTwins.in("")
	case whole.bytes > MaxBytes:
		return tooLarge("the claims", whole.bytes)
	}
	return nil
}

// claim measures one claim and tells what is wrong with it alone.
func (m *measure) claim(name string, value any) *Error {
	if fault := reservation(name); fault != nil {
		return fault
	}
	m.name(name)
	m.value(value)
	if m.twins {
		m.twins = false // the next claim starts afresh
		return errTwins.in(name)
	}
	return nil
}

// Check holds the overlay alone against the policy, as [Patch] cannot foresee
// what it is joined to: at most [MaxBytes] where it is written as one merge patch,
// deletions as null, and no object in which two names that it sets fold to one.
// Its nesting is bounded already. The error is an *[Error].
func (o Overlay) Check() error {
	var m measure
	m.changes(o.root)
	if m.twins {
		return errTwins.in("")
	}
	if m.bytes > MaxBytes {
		return tooLarge("the changes", m.bytes)
	}
	return nil
}
