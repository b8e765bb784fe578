package trust

import (
	"strconv"
	"strings"
)

// Lookup finds a claim by path, as everything does that names one in a configuration.
func Lookup(claims map[string]any, path string) any { return lookup(claims, path) }

// lookup finds a claim by path and answers nil where it is absent, null or
// empty ("" [] {}), which are treated alike.
//
// The exact name comes first, so that a name with dots ("https://app/roles") is
// found as it is; then the longest part before a dot that names an object or an
// array, and in it the rest ("kubernetes.io.pod.name", "emails.0.value"). There is no second try: what one
// path means depends on the names of the objects alone, not on what is in them.
func lookup(object map[string]any, path string) any {
	if v, found := object[path]; found {
		return nonEmpty(v)
	}
	for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path[:i], '.') {
		switch inner := object[path[:i]].(type) {
		case map[string]any:
			return lookup(inner, path[i+1:])
		case []any:
			return index(inner, path[i+1:])
		}
	}
	return nil
}

// index finds what a path says below an array: a number, counted from 0, and a path in
// that element.
func index(list []any, path string) any {
	number, rest, nested := strings.Cut(path, ".")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(list) || strconv.Itoa(n) != number {
		return nil
	}
	if !nested {
		return nonEmpty(list[n])
	}
	switch inner := list[n].(type) {
	case map[string]any:
		return lookup(inner, rest)
	case []any:
		return index(inner, rest)
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
