package caddymodule

import "strings"

// tokenAlgorithms are those a profile can list.
var tokenAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// readAudience reads `audience <aud>... [from <claim>]`.
func readAudience(r *reader, p *Profile) error {
	args, err := r.args(1)
	if err != nil {
		return err
	}
	n := len(args)
	if args[0] == "from" || args[n-1] == "from" {
		return r.wrong()
	}
	if n > 2 && args[n-2] == "from" {
		if p.AudienceClaim != "" && p.AudienceClaim != args[n-1] {
			return r.Errf("the audience is already read from claim '%s'", p.AudienceClaim)
		}
		p.AudienceClaim, args = args[n-1], args[:n-2]
	}
	p.Audiences = append(p.Audiences, args...)
	return nil
}

// readRequireClaims reads `require_claims <claim>[=<value>]...`. A claim whose
// name holds = can be required in JSON only.
func readRequireClaims(r *reader, p *Profile) error {
	args, err := r.args(1)
	if err != nil {
		return err
	}
	for _, arg := range args {
		claim, value, valued := strings.Cut(arg, "=")
		if claim == "" || valued && value == "" {
			return r.wrong()
		}
		r.mark(r.path.at(claim))
		p.RequireClaims = append(p.RequireClaims, RequiredClaim{Claim: claim, Value: value})
	}
	return nil
}
