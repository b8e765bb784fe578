package claims

import "slices"

// TokenClaims are the paths that the template names below "token", sorted, each once:
// what is to be kept of a token for it.
func (t *Template) TokenClaims() []string {
	if t == nil {
		return nil
	}
	paths := tokenClaims(t.root)
	slices.Sort(paths)
	return slices.Compact(paths)
}

func tokenClaims(e expression) (paths []string) {
	switch e := e.(type) {
	case tokenClaim:
		return []string{string(e)}
	case defaulted:
		return tokenClaims(e.value)
	case array:
		for _, element := range e {
			paths = append(paths, tokenClaims(element)...)
		}
	case object:
		for _, m := range e {
			paths = append(paths, tokenClaims(m.value)...)
		}
	}
	return paths
}
