package trust

// Namespace is where the external ids of tokens of that iss live: what
// Identity.Namespace says of them.
func (p *Profile) Namespace(iss string) string { return p.namespace(iss) }

// Covers answers an address as it identifies, in lower case, if the profile
// vouches for its domain (email_domains). Of one it does not it answers false.
func (p *Profile) Covers(address string) (string, bool) { return p.email.covers(address) }
