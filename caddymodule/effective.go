package caddymodule

// What a configuration means where it says nothing, as far as its rules depend
// on it.

// issuer is the gateway's own issuer as far as it is known: empty while it
// depends on the listeners.
func (a *App) issuer() string {
	if a.Issuer == "" && a.Compat != nil && a.Project != nil {
		return a.stytchIssuer()
	}
	return a.Issuer
}

// stytchIssuer is the issuer that every Stytch SDK accepts.
func (a *App) stytchIssuer() string {
	if a.Project == nil {
		return ""
	}
	return "stytch.com/" + a.Project.ID
}

// issuers are the issuers of the profile of that name.
func (p *Profile) issuers(name string) []string {
	if len(p.Issuers) == 0 && p.Dev {
		return []string{"urn:attest:dev:" + name}
	}
	if len(p.Issuers) == 0 && p.Discover != nil {
		return []string{p.Discover.URL}
	}
	return p.Issuers
}

// audiences are the audiences of the profile.
func (p *Profile) audiences() []string {
	if len(p.Audiences) == 0 && p.Dev {
		return []string{"urn:attest:dev"}
	}
	return p.Audiences
}

// serves are the parts that are served where the configuration names none.
func (a *App) serves() []string {
	serve := []string{serveKeys}
	for _, part := range parts {
		if part != serveKeys && a.callersMay(part) {
			serve = append(serve, part)
		}
	}
	return serve
}

// or is the value, or the default where it is not given.
func or[T comparable](value, fallback T) T {
	var none T
	if value == none {
		return fallback
	}
	return value
}

// orNew is the value, or an empty one.
func orNew[T any](value *T) *T {
	if value == nil {
		return new(T)
	}
	return value
}
