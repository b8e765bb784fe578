package claims

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Kinds of nodes as they are stored. Each node is an array that begins with its
// kind:
//
//	["-"]                      deleted
//	["=", value]               replaced
//	[">", name, node, ...]     descended into, names in order
//
// Names stand as elements, not as member names, because an overlay may delete
// "Plan" and set "plan", which a strict reader would refuse in one object. A node
// takes one level of nesting per level of claims, and a replaced value one more.
const (
	kindRemove  = "-"
	kindReplace = "="
	kindDescend = ">"
)

var errStored = errors.New("claims: not a stored overlay")

// MarshalJSON writes the overlay for storage. Equal overlays have equal text. It
// fails for an overlay that sets names in a replaced object which fold to one, as
// that could not be read again; [Overlay.Check] finds those first.
func (o Overlay) MarshalJSON() ([]byte, error) {
	data, err := strictjson.Marshal(o.root.encode())
	if err != nil {
		return nil, fmt.Errorf("claims: overlay: %w", err)
	}
	return data, nil
}

// UnmarshalJSON reads what MarshalJSON has written. Anything else is an error,
// above all a node of a kind it does not know: to pass over a change that a newer
// release has stored would be to mint claims that a caller has changed.
func (o *Overlay) UnmarshalJSON(data []byte) error {
	v, err := strictjson.Parse(data)
	if err != nil {
		return fmt.Errorf("claims: overlay: %w", err)
	}
	n, err := decodeNode(v, MaxDepth)
	if err != nil {
		return err
	}
	root, ok := n.(descend)
	if !ok {
		return errStored
	}
	o.root = root
	return nil
}

func (d descend) encode() []any {
	out := make([]any, 1, 1+2*len(d))
	out[0] = kindDescend
	for _, name := range slices.Sorted(maps.Keys(d)) {
		out = append(out, name, encodeNode(d[name]))
	}
	return out
}

func encodeNode(n node) []any {
	switch n := n.(type) {
	case descend:
		return n.encode()
	case replace:
		return []any{kindReplace, n.value}
	}
	return []any{kindRemove}
}

func decodeNode(v any, depth int) (node, error) {
	parts, ok := v.([]any)
	if !ok || len(parts) == 0 {
		return nil, errStored
	}
	switch kind, rest := parts[0], parts[1:]; {
	case kind == kindDescend:
		return decodeDescend(rest, depth)
	case kind == kindReplace && len(rest) == 1:
		return decodeReplace(rest[0], depth)
	case kind == kindRemove && len(rest) == 0:
		return remove{}, nil
	}
	return nil, fmt.Errorf("%w: unknown kind of node", errStored)
}

func decodeDescend(parts []any, depth int) (node, error) {
	if len(parts)%2 != 0 || depth <= 0 {
		return nil, errStored
	}
	d := make(descend, len(parts)/2)
	for i := 0; i < len(parts); i += 2 {
		name, ok := parts[i].(string)
		if _, twice := d[name]; !ok || twice {
			return nil, errStored
		}
		n, err := decodeNode(parts[i+1], depth-1)
		if err != nil {
			return nil, err
		}
		d[name] = n
	}
	return d, nil
}

// A replaced value is read with a copier, so that a record someone else has
// written cannot bring null members in.
func decodeReplace(v any, depth int) (node, error) {
	var c copier
	value, ok := c.value(v, depth)
	if !ok || value == nil {
		return nil, errStored
	}
	return replace{value}, nil
}
