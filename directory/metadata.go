package directory

import (
	"bytes"
	"errors"
	"maps"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Limits of one object of metadata.
const (
	// MaxMetadataKeys is how many top-level keys it may have.
	MaxMetadataKeys = 20
	// MaxMetadataBytes is how long its compact JSON may be.
	MaxMetadataBytes = 4096
	// MaxMetadataDepth is how deep it may nest.
	MaxMetadataDepth = 32
)

// merge is current with the changes laid over it at the top level: a null
// deletes its key, anything else replaces it whole. (The claims of a session are
// merged deeply; metadata is not.)
func merge(current, changes claims.Object) (claims.Object, error) {
	next := maps.Clone(current)
	if next == nil {
		next = claims.Object{}
	}
	for key, value := range changes {
		if value == nil {
			delete(next, key)
		} else {
			next[key] = value
		}
	}
	return checked(next)
}

// checked is the object as it will be read back, nil where it is empty. It refuses what could be
// written but not read, above all names that fold to one, which would make the
// whole record unreadable.
func checked(o claims.Object) (claims.Object, error) {
	if len(o) == 0 {
		return nil, nil
	}
	if len(o) > MaxMetadataKeys {
		return nil, errMetadataKeys
	}
	data, err := strictjson.Marshal(o)
	if err != nil {
		return nil, errMetadataFormat.because("not_json")
	}
	if len(data) > MaxMetadataBytes {
		return nil, errMetadataSize
	}
	value, err := strictjson.ParseDepth(data, MaxMetadataDepth)
	if err != nil {
		return nil, errMetadataFormat.because(formatReason(err))
	}
	object, _ := value.(claims.Object)
	return object, nil
}

func formatReason(err error) string {
	switch {
	case errors.Is(err, strictjson.ErrDuplicateName):
		return "two_names_fold_to_one"
	case errors.Is(err, strictjson.ErrDepth):
		return "nested_too_deep"
	}
	return "not_json"
}

// sameObject compares by the text of the values: 1 from a request and 1 from a
// record are different Go types.
func sameObject(a, b claims.Object) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	x, errX := strictjson.Marshal(a)
	y, errY := strictjson.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
