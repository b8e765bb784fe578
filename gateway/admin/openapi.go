package admin

import "strings"

// openAPI describes the list of operations (OpenAPI 3.1).
func (a *Admin) openAPI(*call) (any, error) {
	paths := map[string]map[string]any{}
	for _, o := range operations() {
		if paths[o.path] == nil {
			paths[o.path] = map[string]any{}
		}
		paths[o.path][strings.ToLower(o.method)] = map[string]any{
			"summary":    o.summary,
			"parameters": pathParameters(o.path),
			"responses": map[string]any{
				"200":     map[string]any{"description": "the answer", "content": map[string]any{"application/json": map[string]any{}}},
				"default": map[string]any{"description": "an error: code and message", "content": map[string]any{"application/json": map[string]any{}}},
			},
		}
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "Attest admin API", "version": a.Core.Node.Version},
		"paths":   paths,
	}, nil
}

func pathParameters(path string) []any {
	list := []any{}
	for _, part := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, map[string]any{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"},
			})
		}
	}
	return list
}
