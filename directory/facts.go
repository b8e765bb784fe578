package directory

import (
	"maps"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

// maxRetired is how many former addresses are kept.
const maxRetired = 10

// assert writes into the member what the token says, and tells whether that
// changed anything. The token's email is the member's to take: nobody has it, or
// its holder loses it.
func (m *memberRecord) assert(a Assertion) (bool, error) {
	fresh := !a.IssuedAt.Before(m.Profiles[a.Profile].IssuedAt)
	changed := false
	if !a.SecondOnly {
		linked, err := m.link(a)
		if err != nil {
			return false, err
		}
		changed = either(linked, m.activate(), m.assertEmail(a, fresh), fresh && m.assertTexts(a))
	}
	if fresh {
		rewritten, err := m.assertMetadata(a)
		if err != nil {
			return false, err
		}
		changed = either(changed, rewritten, m.assertRoles(a))
	}
	if changed || a.opinionated() && a.IssuedAt.After(m.Profiles[a.Profile].IssuedAt) {
		m.stamp(a)
		changed = true
	}
	return changed, nil
}

// opinionated tells whether the token says something that an older one might
// contradict. Then it leaves its time also where it changed nothing: else an older
// token, shown late, would bring back what this one had confirmed as gone.
func (a *Assertion) opinionated() bool { return a.HasRoles || a.Metadata != nil }

func either(changes ...bool) bool { return slices.Contains(changes, true) }

// stamp remembers how new the token is: an older one, replayed, must not bring
// back the roles that this one replaced.
func (m *memberRecord) stamp(a Assertion) {
	p := m.Profiles[a.Profile]
	p.IssuedAt = later(p.IssuedAt, a.IssuedAt)
	m.setProfile(a.Profile, p)
}

func (m *memberRecord) setProfile(name string, p profileRecord) {
	if m.Profiles == nil {
		m.Profiles = map[string]profileRecord{}
	}
	m.Profiles[name] = p
}

// activate is the first sign-in of a member whom the API made.
func (m *memberRecord) activate() bool {
	if m.Status != StatusInvited && m.Status != StatusPending {
		return false
	}
	m.Status = StatusActive
	return true
}

// link gives the member the token's external id in each namespace in which it has none.
func (m *memberRecord) link(a Assertion) (changed bool, err error) {
	for _, namespace := range a.namespaces() {
		if a.ExternalID == "" || m.ExternalIDs[namespace] != "" {
			continue
		}
		if m.ExternalIDs, err = m.ExternalIDs.with(namespace, a.ExternalID); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// assertEmail gives the member the token's covered email.
func (m *memberRecord) assertEmail(a Assertion, fresh bool) bool {
	switch {
	case a.Email == "":
		return false
	case a.Email == m.Email:
		return m.verifyEmail(a)
	case !fresh || !m.mayTakeEmail(a):
		return false
	}
	m.retireEmail()
	m.Email, m.EmailOwner, m.EmailVerified = a.Email, a.Profile, a.verified()
	if m.UnverifiedEmail == a.Email {
		m.UnverifiedEmail, m.UnverifiedOwner = "", ""
	}
	return true
}

func (m *memberRecord) verifyEmail(a Assertion) bool {
	if m.EmailVerified || !a.verified() {
		return false
	}
	m.EmailVerified = true
	return true
}

// mayTakeEmail refuses to put an address that the issuer does not vouch for on
// somebody whom others know. An address that the API or another profile wrote
// stays, or two issuers would write it in turn for ever.
func (m *memberRecord) mayTakeEmail(a Assertion) bool {
	if m.Email != "" && m.EmailOwner != a.Profile {
		return false
	}
	return a.verified() || !m.ExternalIDs.elsewhere(a.namespaces()...)
}

// retireEmail takes the member's address away; it is free for others.
func (m *memberRecord) retireEmail() {
	if m.Email == "" {
		return
	}
	m.RetiredEmails = append(m.RetiredEmails, m.Email)
	if extra := len(m.RetiredEmails) - maxRetired; extra > 0 {
		m.RetiredEmails = slices.Delete(m.RetiredEmails, 0, extra)
	}
	m.Email, m.EmailOwner, m.EmailVerified = "", "", false
}

// demoteEmail makes the member's address one that identifies nobody.
func (m *memberRecord) demoteEmail() {
	if m.UnverifiedEmail == "" {
		m.UnverifiedEmail, m.UnverifiedOwner = m.Email, m.EmailOwner
	}
	m.Email, m.EmailOwner, m.EmailVerified = "", "", false
}

func (m *memberRecord) assertTexts(a Assertion) bool {
	name := assertText(&m.Name, &m.NameOwner, a.Name, a.Profile)
	email := a.UnverifiedEmail != m.Email && assertText(&m.UnverifiedEmail, &m.UnverifiedOwner, a.UnverifiedEmail, a.Profile)
	return name || email
}

// assertText writes a text that is empty or that the same profile wrote.
func assertText(text, owner *string, value, profile string) bool {
	if value == "" || value == *text || *text != "" && *owner != profile {
		return false
	}
	*text, *owner = value, profile
	return true
}

func (m *memberRecord) assertRoles(a Assertion) bool {
	p := m.Profiles[a.Profile]
	if !a.HasRoles || slices.Equal(p.Roles, a.Roles) {
		return false
	}
	p.Roles = a.Roles
	m.setProfile(a.Profile, p)
	return true
}

// assertMetadata makes the keys that the profile owns those that the token has.
// A key that the API or another profile wrote is not the profile's to write.
func (m *memberRecord) assertMetadata(a Assertion) (bool, error) {
	if a.Metadata == nil {
		return false, nil
	}
	next, owners := m.withoutKeysOf(a.Profile)
	for key, value := range a.Metadata {
		if _, taken := next[key]; value != nil && !taken {
			next[key], owners[key] = value, a.Profile
		}
	}
	if sameObject(next, m.TrustedMetadata) {
		return false, nil
	}
	next, err := checked(next)
	if err != nil {
		return false, err
	}
	m.TrustedMetadata, m.MetadataOwners = next, owners
	if a.CheckMetadata == nil {
		return true, nil
	}
	return true, a.CheckMetadata(m.export(0))
}

func (m *memberRecord) withoutKeysOf(profile string) (claims.Object, map[string]string) {
	next, owners := claims.Object{}, map[string]string{}
	maps.Copy(next, m.TrustedMetadata)
	maps.Copy(owners, m.MetadataOwners)
	for key, owner := range m.MetadataOwners {
		if owner == profile {
			delete(next, key)
			delete(owners, key)
		}
	}
	return next, owners
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
