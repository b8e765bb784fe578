package preset

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/attestgate/caddy-attest/trust"
)

// publicIssuers are those of which everybody can have tokens, with the preset for them.
var publicIssuers = []struct {
	issuer *regexp.Regexp
	preset string
}{
	{regexp.MustCompile(`^https://token\.actions\.githubusercontent\.com(/.*)?$`), "github_actions"},
	{regexp.MustCompile(`^https://gitlab\.com$`), "gitlab_ci"},
	{regexp.MustCompile(`^https://oidc\.vercel\.com$`), "vercel_oidc"},
	{regexp.MustCompile(`^(https://)?accounts\.google\.com$`), "google"},
	{regexp.MustCompile(`^https://appleid\.apple\.com$`), "apple"},
	{regexp.MustCompile(`^https://securetoken\.google\.com/`), "firebase"},
	{regexp.MustCompile(`^https://[^/]+\.supabase\.co/auth/v1$`), "supabase"},
	{regexp.MustCompile(`^https://cognito-idp\.[^/]+\.amazonaws\.com/`), "cognito"},
	{regexp.MustCompile(`^https://[^/]+\.clerk\.accounts\.dev$`), "clerk"},
	{regexp.MustCompile(`^https://[^/]+\.auth0\.com/$`), "auth0"},
	{regexp.MustCompile(`^https://slack\.com$`), "slack"},
	{regexp.MustCompile(`^https://[^/]+\.b2clogin\.com/`), "b2c"},
	{regexp.MustCompile(`^https://sts\.windows\.net/\{`), "entra"},
	{regexp.MustCompile(`^https://login\.microsoftonline\.(com|us)/(\{|common|organizations|consumers|9188040d-)`), "entra"},
}

// PublicIssuer refuses a profile without preset that is open to whoever has a token of
// such an issuer.
func PublicIssuer(c trust.Config) error {
	for _, known := range publicIssuers {
		if !slices.ContainsFunc(c.Issuers, known.issuer.MatchString) {
			continue
		}
		p, _ := Find(known.preset)
		switch {
		case p.Kind == Workload && !hasCondition(c):
			return fmt.Errorf("anybody can have a token of this issuer: it needs a condition (require_claims with a value, or when), or preset %s", p.Name)
		case !guarded(c):
			return fmt.Errorf("anybody can register with this issuer: create needs a condition (require_claims with a value, or when), the word public, or preset %s with its own", p.Name)
		}
	}
	return nil
}
