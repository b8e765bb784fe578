package authn

import (
	"context"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

// ProbeTokens are session JWTs of a made-up member, for asking an upstream what it takes.
// They name no session that exists: no door of the gateway takes them.
type ProbeTokens struct {
	// Good is for the audience and lives for a minute; OtherAudience is for nobody's, and
	// Expired ended an hour ago.
	Good, OtherAudience, Expired string
}

const (
	probeLifetime = time.Minute
	probeAudience = "urn:attest:probe:another-audience"
)

// ProbeTokens signs them, and tells of it.
func (a *Authenticator) ProbeTokens(ctx context.Context, audience []string) (t ProbeTokens, err error) {
	now := a.Now()
	for _, one := range []struct {
		into     *string
		at       time.Time
		audience []string
	}{{&t.Good, now, audience}, {&t.OtherAudience, now, []string{probeAudience}}, {&t.Expired, now.Add(-time.Hour), audience}} {
		jwt, err := a.Minter.At(one.at).Mint(probeRequest(one.at, one.audience))
		if err != nil {
			return ProbeTokens{}, err
		}
		*one.into = jwt.Text
	}
	a.Tell(ctx, Event{Action: UpstreamProbed, MemberID: probeMember})
	return t, nil
}

const (
	probeMember       = "member-probe"
	probeOrganization = "organization-probe"
)

func probeRequest(at time.Time, audience []string) mint.Request {
	return mint.Request{
		Session: session.Session{
			ID: "session-probe", OrganizationID: probeOrganization, MemberID: probeMember,
			SignedInAt: at, StartedAt: at, LastAccessedAt: at, ExpiresAt: at.Add(2 * probeLifetime),
		},
		OrganizationID: probeOrganization, MemberID: probeMember, Audience: audience, Lifetime: probeLifetime,
	}
}
