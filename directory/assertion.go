package directory

import (
	"cmp"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/email"
)

// Assertion is what a verified token of a profile says, and what the profile may
// do with it.
type Assertion struct {
	// Profile is the profile's name; Namespace that of its external ids (the
	// profile's own name unless several share one on purpose, and with a digest of
	// the issuer where it has several). Both are required and match
	// [a-z0-9][a-z0-9_-]*.
	Profile, Namespace string
	// Former is the namespace in which ids of this profile were before, if any: an id is
	// looked up in both and kept in both. Where they name two members, that of Former holds.
	Former string
	// ExternalID is the subject: at most 256 bytes, no control characters, compared
	// byte for byte. It or Email is required.
	ExternalID string
	// Email is an address that the profile's email_domains cover and that the token
	// does not call unverified. One that is not ASCII with exactly one @ is treated
	// as UnverifiedEmail.
	Email string
	// UnverifiedEmail is any other address. It identifies nobody.
	UnverifiedEmail string
	// EmailVerified: the token says that Email is verified. AssumeVerified: the
	// operator says so of all the profile's tokens. Without either, Email names
	// nobody who has it already.
	EmailVerified, AssumeVerified bool
	Name                          string
	// Roles replace those that the profile gave before, where HasRoles; without it
	// the token says nothing of roles.
	Roles    []string
	HasRoles bool
	// Metadata replaces the keys of trusted metadata that the profile wrote before;
	// nil says nothing. A null value deletes its key.
	Metadata claims.Object
	// IssuedAt is the token's iat. Whatever was revoked at or after it stays so.
	IssuedAt time.Time
	// Organization is what the profile's organization line came to, empty where it
	// has none. OrganizationFixed tells that it holds no placeholder and so is the
	// operator's word: a configured id, else an external id. Otherwise it is an
	// external id only.
	Organization      string
	OrganizationFixed bool
	// APIOrganization is the id, external id or slug by which a caller of the API
	// names the organization.
	APIOrganization string
	// CreateMembers and CreateOrganizations let the token make what it names, at
	// most so many an hour per profile and gateway (see Rates). Defaults:
	// DefaultMembersPerHour and DefaultOrganizationsPerHour.
	CreateMembers, CreateOrganizations               bool
	CreateMembersPerHour, CreateOrganizationsPerHour int
	// SecondOnly: the token may only name an existing member. It makes nothing and
	// links nothing.
	SecondOnly bool
	// Check, where set, may refuse the organization and the member that would be
	// answered, before anything about the member is written. It may be called more
	// than once.
	Check func(Organization, Member) error
	// CheckMetadata, where set, may refuse the member whose trusted metadata the token
	// changes, before it is written. It may be called more than once.
	CheckMetadata func(Member) error
	// Demoted, where set, is called with a member, as it was, who has lost its
	// unverified address (or as a tombstone any name) to the one answered, after both
	// are written.
	Demoted func(Member)
	// Apart, where set, is called where Namespace and Former know two members by the
	// external id, with the one that holds and the other.
	Apart func(holds, other Member)
	// Created, where set, is called with the ids of what the token has made: an
	// organization, where member is empty, or a member.
	Created func(organization, member string)
}

// permit asks Check.
func (a *Assertion) permit(o Organization, m *storedMember) error {
	if a.Check == nil {
		return nil
	}
	return a.Check(o, m.exported())
}

// namespaces are those in which the external id is looked up.
func (a *Assertion) namespaces() []string {
	if a.Former == "" || a.Former == a.Namespace {
		return []string{a.Namespace}
	}
	return []string{a.Namespace, a.Former}
}

// verified tells whether the token's email is verified.
func (a *Assertion) verified() bool { return a.EmailVerified || a.AssumeVerified }

// canonical is the assertion as it is compared and stored. Names come from the
// configuration, so one that does not fit is a mistake, not a refusal.
func (a Assertion) canonical() (Assertion, error) {
	if !isName(a.Profile) || !isName(a.Namespace) || a.Former != "" && !isName(a.Former) {
		return a, fmt.Errorf("directory: profile %q or its namespace %q is not a name", a.Profile, a.Namespace)
	}
	a.demoteEmail()
	if err := a.checkIdentity(); err != nil {
		return a, err
	}
	if a.Organization != "" && !isExternalReference(a.Organization) {
		return a, ErrOrganizationClaim.because("organization_not_allowed")
	}
	a.Name = displayText(a.Name)
	a.IssuedAt = a.IssuedAt.UTC().Round(0)
	var err error
	a.Roles, err = roleSet(a.Roles)
	return a, err
}

// demoteEmail keeps what is no plain ASCII address from identifying anybody: in
// "victim@acme.example@evil.example" or with a Cyrillic а, two readers see two
// people.
func (a *Assertion) demoteEmail() {
	address, _, ok := email.Parse(a.Email)
	if !ok && a.UnverifiedEmail == "" {
		a.UnverifiedEmail = a.Email
	}
	a.Email = address
	a.UnverifiedEmail = displayText(a.UnverifiedEmail)
}

// withholdEmail keeps the email from identifying anybody: another member has it.
func (a *Assertion) withholdEmail() {
	a.UnverifiedEmail, a.Email = cmp.Or(a.UnverifiedEmail, a.Email), ""
}

func (a *Assertion) checkIdentity() error {
	switch {
	case a.ExternalID == "" && a.Email == "":
		return errIdentity.because("no_external_id_and_no_covered_email")
	case a.ExternalID != "" && !isSubject(a.ExternalID):
		return errIdentity.because("external_id_not_allowed")
	}
	return nil
}

// after refuses a token that was not issued after a revocation. Issue times are whole
// seconds and revocations are not, so that a token of the same second is refused.
func (a *Assertion) after(notBefore time.Time) error {
	if !notBefore.IsZero() && !a.IssuedAt.After(notBefore) {
		return ErrRevoked
	}
	return nil
}
