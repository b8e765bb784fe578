package trust

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// Verify believes a token or says why not: a *Refusal with the first check that
// failed, or an error that wraps ErrKeysUnavailable where the keys cannot be had
// and nothing can be said. It remembers nothing; see Set.Verify.
func (p *Profile) Verify(ctx context.Context, token string) (*Identity, error) {
	return p.trial(ctx, token).verify()
}

// Explain asks a token every question there is, in the order of Verify, also
// those after the first no. A check that needs the answer of one that failed is
// skipped. The findings hold what the token claims and are for the operator.
// Explain remembers nothing.
func (p *Profile) Explain(ctx context.Context, token string) []Finding {
	t := p.trial(ctx, token)
	findings := make([]Finding, 0, len(p.checks))
	var failed []string
	for _, c := range p.checks {
		f := c.explain(t, failed)
		if !f.Passed {
			failed = append(failed, c.name)
		}
		findings = append(findings, f)
	}
	return findings
}

func (p *Profile) trial(ctx context.Context, token string) *trial {
	id := &Identity{Profile: p.config.Name, Factor: p.config.Factor}
	return &trial{ctx: ctx, profile: p, now: p.config.Now(), raw: token, id: id}
}

func (t *trial) verify() (*Identity, error) {
	for _, c := range t.profile.checks {
		f := c.run(t)
		switch {
		case f == nil:
		case f.outage != nil:
			return nil, fmt.Errorf("trust: profile %s: %w", t.profile.config.Name, f.outage)
		default:
			return nil, c.refusal(t, f)
		}
	}
	t.finish()
	return t.id, nil
}

func (c check) refusal(t *trial, f *failure) *Refusal {
	return &Refusal{
		Profile: t.profile.config.Name, Check: c.name, Code: f.code, Remedy: f.remedy,
		Configured: c.configured(t.profile), Found: c.found(t),
	}
}

func (c check) explain(t *trial, failed []string) Finding {
	f := Finding{Check: c.name, Configured: c.configured(t.profile)}
	for _, need := range c.needs {
		if slices.Contains(failed, need) {
			f.Skipped, f.Remedy = true, "first the check "+need+" must pass"
			return f
		}
	}
	problem := c.run(t)
	f.Found = c.found(t)
	if problem == nil {
		f.Passed = true
		return f
	}
	f.Code, f.Remedy = problem.code, problem.remedy
	return f
}

// finish computes what follows from several checks.
func (t *trial) finish() {
	t.id.Digest = t.token.Digest()
	t.id.KeyThumbprint = t.key.key.Thumbprint
	t.id.IssuedAt = t.issuedAt
	t.id.Until = t.expiry.Add(t.profile.config.leeway())
	if age := t.profile.config.MaxTokenAge; age > 0 {
		t.id.Until = earlier(t.id.Until, t.issuedAt.Add(age))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// readsAt tells from when on the token passes its checks of time, for a clock
// that is set back.
func (t *trial) readsAt() time.Time {
	from := t.notBefore
	if t.issuedAt.After(from) {
		from = t.issuedAt
	}
	if from.IsZero() {
		return from
	}
	return from.Add(-t.profile.config.leeway())
}

func (t *trial) header() jose.Header { return t.token.Header }
