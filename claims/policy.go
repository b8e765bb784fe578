package claims

import "github.com/attestgate/caddy-attest/internal/strictjson"

const (
	// MaxBytes is how long effective claims, and what an overlay sets, may be as
	// compact JSON in UTF-8, the limit included.
	MaxBytes = 4096
	// MaxDepth is how deep claims, overlays and templates may nest. The object of
	// all claims is level one.
	MaxDepth = 32
)

// Effective is what goes into a JWT: the template rendered, the overlay applied.
// Either may be nil or zero. The result is the caller's own and, without an
// error, never nil. Where the overlay sets a name that folds to one of the
// template's ("plan" beside "Plan"), the template's is left out: a template that
// gains a name does not break the sessions that hold another spelling of it.
//
// The error is an *[Error] that names the template and, where there is one, the
// claim: a variable that JSON cannot express, more than [MaxBytes] or [MaxDepth], a
// [Policy.Reserved] name, or two names of one object that fold to one. Claims are
// never shortened to fit.
func (p Policy) Effective(t *Template, v Variables, o Overlay) (Object, error) {
	claims, fault := t.render(v)
	if fault == nil {
		o.root.apply(claims)
		o.root.deleteFolded(claims)
		fault = p.check(claims)
	}
	if fault != nil {
		return nil, fault.forTemplate(t)
	}
	return claims, nil
}

// check holds effective claims against the policy. Of several faults it reports
// that of the claim whose name sorts first, so that equal claims have equal
// answers.
func (p Policy) check(claims Object) *Error {
	var first *Error
	for name := range claims {
		if fault := p.reservation(name); fault != nil && (first == nil || name < first.Claim) {
			first = fault
		}
	}
	if first != nil {
		return first
	}
	return checkLimits(claims)
}

// checkLimits holds claims against everything but the reserved names.
func checkLimits(claims Object) *Error {
	var whole measure
	var folded, longest string
	var found bool
	var most int
	whole.punctuation(len(claims))
	for name, value := range claims {
		size := whole.claim(name, value)
		if whole.foldDuplicates && (!found || name < folded) {
			folded, found = name, true
		}
		if size > most || size == most && name < longest {
			longest, most = name, size
		}
	}
	switch {
	case found:
		return errFolded.forClaim(folded)
	case strictjson.FoldsTogether(claims):
		return errFolded.forClaim("")
	case whole.bytes > MaxBytes:
		return tooLarge("the claims", whole.bytes).withLongest(longest, most)
	}
	return nil
}

// claim adds one claim, and answers its size.
func (m *measure) claim(name string, value any) int {
	before := m.bytes
	m.foldDuplicates = false // of this claim alone
	m.name(name)
	m.value(value)
	return m.bytes - before
}
