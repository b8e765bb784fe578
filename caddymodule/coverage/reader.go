package coverage

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// A reader reads routes, loaded or not.
type reader struct {
	ctx    caddy.Context
	overIP bool                  // all requests come from an IP address
	era    func(kind string) int // in which a matcher of that kind, read now, sees requests
}

// handlers are the handlers of a route. Those that are not loaded yet are decoded,
// and not provisioned: that is Caddy's to do.
func (r *reader) handlers(route *caddyhttp.Route) []any {
	var list []any
	for _, raw := range route.HandlersRaw {
		list = append(list, decodeModule("http.handlers.", "handler", raw))
	}
	for _, h := range route.Handlers {
		list = append(list, h)
	}
	return list
}

// decodeModule decodes the JSON of a module whose name stands under the key. It
// answers nil if there is no such module or it does not decode: Caddy refuses
// the configuration for it.
func decodeModule(namespace, key string, raw json.RawMessage) any {
	var fields map[string]json.RawMessage
	var name string
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields[key], &name) != nil {
		return nil
	}
	info, err := caddy.GetModule(namespace + name)
	if err != nil {
		return nil
	}
	module := any(info.New())
	if json.Unmarshal(raw, &module) != nil {
		return nil
	}
	return module
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
