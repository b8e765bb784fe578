package directory

import (
	"maps"
	"slices"
)

// maxExternalIDs is how many namespaces may know one member.
const maxExternalIDs = 16

// externalIDs are a member's ids by namespace. Namespaces are lower case, so no
// two of them fold to one name, which no record may have.
type externalIDs map[string]string

// elsewhere tells whether a namespace other than these knows the member.
func (x externalIDs) elsewhere(namespaces ...string) bool {
	for other := range x {
		if !slices.Contains(namespaces, other) {
			return true
		}
	}
	return false
}

// with is the ids with this one in the namespace, or a refusal where that is one
// too many.
func (x externalIDs) with(namespace, id string) (externalIDs, error) {
	next := x.without(namespace)
	if len(next) >= maxExternalIDs {
		return x, ErrDuplicateExternalID.because("too_many_external_ids")
	}
	next[namespace] = id
	return next, nil
}

// without is the ids without the namespace's; never nil.
func (x externalIDs) without(namespace string) externalIDs {
	rest := externalIDs{}
	maps.Copy(rest, x)
	delete(rest, namespace)
	return rest
}
