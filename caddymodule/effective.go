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
	return p.Issuers
}

// audiences are the audiences of the profile.
func (p *Profile) audiences() []string {
	if len(p.Audiences) == 0 && p.Dev {
		return []string{"urn:attest:dev"}
	}
	return p.Audiences
}
