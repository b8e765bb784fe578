package trust

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Verify verifies a token. The error is a *Refusal with the first check that failed, or
// wraps ErrKeysUnavailable where the keys are not available. It caches nothing; see
// Set.Verify.
func (p *Profile) Verify(ctx context.Context, token string) (*Identity, error) {
	return p.newVerification(ctx, token).verify()
}

// Explain runs every check, in the order of Verify, also those after the first failure.
// A check that needs one that failed is skipped. The findings hold claims of the token
// and are for the operator. Explain caches nothing.
func (p *Profile) Explain(ctx context.Context, token string) []Finding {
	findings, _ := p.newVerification(ctx, token).explain()
	return findings
}

// explain runs every check, and tells whether all have passed.
func (v *verification) explain() (findings []Finding, good bool) {
	var failed []string
	for _, c := range v.profile.checks {
		f := c.explain(v, failed)
		if !f.Passed {
			failed = append(failed, c.name)
		}
		findings = append(findings, f)
	}
	return findings, len(failed) == 0
}

func (v *verification) verify() (*Identity, error) {
	for _, c := range v.profile.checks {
		f := c.run(v)
		switch {
		case f == nil:
		case f.outage != nil:
			return nil, fmt.Errorf("trust: profile %s: %w", v.profile.config.Name, f.outage)
		default:
			return nil, c.refusal(v, f)
		}
	}
	v.fillIdentity()
	return v.id, nil
}

func (c check) refusal(v *verification, f *failure) *Refusal {
	return &Refusal{
		Profile: v.profile.config.Name, Check: c.name, Code: f.code, Remedy: f.remedy,
		Configured: c.configured(v.profile), Found: c.found(v),
	}
}

func (c check) explain(v *verification, failed []string) Finding {
	f := Finding{Check: c.name, Configured: c.configured(v.profile)}
	for _, need := range c.needs {
		if slices.Contains(failed, need) {
			f.Skipped, f.Remedy = true, "first the check "+need+" must pass"
			return f
		}
	}
	before := len(v.id.Dropped)
	problem := c.run(v)
	f.Dropped = strings.Join(v.id.Dropped[before:], "; ")
	f.Found = c.found(v)
	if problem == nil {
		f.Passed = true
		return f
	}
	f.Code, f.Remedy = problem.code, problem.remedy
	return f
}
