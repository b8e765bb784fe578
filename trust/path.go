package trust

import "strings"

// lookup finds a claim by path and answers nil where it is absent, null or
// empty ("" [] {}), which are treated alike.
//
// The exact name comes first, so that a name with dots ("https://app/roles") is
// found as it is; then the longest part before a dot that names an object, and
// in it the rest ("kubernetes.io.pod.name"). There is no second try: what one
// path means depends on the names of the objects alone, not on what is in them.
func lookup(object map[string]any, path string) any {
	if v, found := object[path]; found {
		return nonEmpty(v)
	}
	for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path[:i], '.') {
		if inner, ok := object[path[:i]].(map[string]any); ok {
			return lookup(inner, path[i+1:])
		}
	}
	return nil
}

func nonEmpty(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	}
	return v
}
