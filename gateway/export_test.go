package gateway

import (
	"maps"
	"slices"
)

// Routes are the patterns and methods that an API answers.
func (a *API) Routes() map[string][]string {
	routes := map[string][]string{}
	for pattern, methods := range a.endpoints() {
		routes[pattern] = slices.Sorted(maps.Keys(methods))
	}
	return routes
}

// Codes are those of the one table from code to status.
func Codes() []string { return slices.Sorted(maps.Keys(problems)) }
