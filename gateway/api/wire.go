package api

import (
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/session"
	"slices"
	"time"
)

// The objects of the API, member for member as Stytch writes them; what is ours
// stands behind. SDKs ignore members they do not know.

type wireSession struct {
	MemberSessionID       string        `json:"member_session_id"`
	MemberID              string        `json:"member_id"`
	OrganizationID        string        `json:"organization_id"`
	OrganizationSlug      string        `json:"organization_slug"`
	StartedAt             string        `json:"started_at"`
	LastAccessedAt        string        `json:"last_accessed_at"`
	ExpiresAt             string        `json:"expires_at"`
	Roles                 []string      `json:"roles"`
	CustomClaims          claims.Object `json:"custom_claims"`
	AuthenticationFactors []wireFactor  `json:"authentication_factors"`
}

type wireFactor struct {
	Type                string         `json:"type"`
	DeliveryMethod      string         `json:"delivery_method"`
	CreatedAt           string         `json:"created_at"`
	UpdatedAt           string         `json:"updated_at"`
	LastAuthenticatedAt string         `json:"last_authenticated_at"`
	SequenceOrder       string         `json:"sequence_order"`
	TrustedAuthToken    wireTrustedKey `json:"trusted_auth_token_factor"`
	Profile             string         `json:"profile"`
	FactorType          string         `json:"factor_type"`
	Issuer              string         `json:"issuer"`
	ProvedAt            string         `json:"proved_at,omitempty"`
}

type wireTrustedKey struct {
	TokenID string `json:"token_id"`
}

func wireSessionOf(live authn.RenderedSession) wireSession {
	s := live.Session
	return wireSession{
		MemberSessionID: s.ID, MemberID: s.MemberID, OrganizationID: s.OrganizationID, OrganizationSlug: live.Organization.Slug,
		StartedAt: timestamp(s.StartedAt), LastAccessedAt: timestamp(s.LastAccessedAt), ExpiresAt: timestamp(s.ExpiresAt),
		Roles: orEmpty(live.Roles), CustomClaims: live.Claims, AuthenticationFactors: wireFactorsOf(live.Factors),
	}
}

// timestamp is how the API writes a moment: RFC 3339, UTC, whole seconds.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func wireFactorsOf(factors []session.Factor) []wireFactor {
	list := make([]wireFactor, len(factors))
	for i, f := range factors {
		order := "SECONDARY"
		if i == 0 {
			order = "PRIMARY"
		}
		proved := f.ProvedAt
		if proved.IsZero() {
			proved = f.CreatedAt
		}
		list[i] = wireFactor{
			Type: "trusted_auth_token", DeliveryMethod: "trusted_token_exchange",
			CreatedAt: timestamp(f.CreatedAt), UpdatedAt: timestamp(f.UpdatedAt), LastAuthenticatedAt: timestamp(proved),
			SequenceOrder: order, TrustedAuthToken: wireTrustedKey{f.TokenID},
			Profile: f.Profile, FactorType: f.Type, Issuer: f.Issuer, ProvedAt: timestampOrNone(f.ProvedAt),
		}
	}
	return list
}

// timestampOrNone is a timestamp, or nothing for a time that is not known.
func timestampOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timestamp(t)
}

type wireMember struct {
	OrganizationID         string        `json:"organization_id"`
	MemberID               string        `json:"member_id"`
	EmailAddress           string        `json:"email_address"`
	Status                 string        `json:"status"`
	Name                   string        `json:"name"`
	SSORegistrations       []any         `json:"sso_registrations"`
	IsBreakglass           bool          `json:"is_breakglass"`
	MemberPasswordID       string        `json:"member_password_id"`
	OAuthRegistrations     []any         `json:"oauth_registrations"`
	EmailAddressVerified   bool          `json:"email_address_verified"`
	MFAPhoneNumberVerified bool          `json:"mfa_phone_number_verified"`
	IsAdmin                bool          `json:"is_admin"`
	TOTPRegistrationID     string        `json:"totp_registration_id"`
	RetiredEmailAddresses  []any         `json:"retired_email_addresses"`
	IsLocked               bool          `json:"is_locked"`
	MFAEnrolled            bool          `json:"mfa_enrolled"`
	MFAPhoneNumber         string        `json:"mfa_phone_number"`
	DefaultMFAMethod       string        `json:"default_mfa_method"`
	Roles                  []wireRole    `json:"roles"`
	TrustedMetadata        claims.Object `json:"trusted_metadata"`
	UntrustedMetadata      claims.Object `json:"untrusted_metadata"`
	CreatedAt              string        `json:"created_at,omitempty"`
	UpdatedAt              string        `json:"updated_at,omitempty"`
	ExternalID             string        `json:"external_id,omitempty"`
	UnverifiedEmail        string        `json:"unverified_email,omitempty"`
}

type wireRole struct {
	RoleID  string       `json:"role_id"`
	Sources []wireSource `json:"sources"`
}

type wireSource struct {
	Type    string        `json:"type"`
	Details claims.Object `json:"details"`
}

func (a *API) wireMember(m directory.Member) wireMember {
	return wireMember{
		OrganizationID: m.OrganizationID, MemberID: m.ID, EmailAddress: m.Email, Status: m.Status, Name: m.Name,
		SSORegistrations: []any{}, OAuthRegistrations: []any{}, RetiredEmailAddresses: retired(m.RetiredEmails),
		EmailAddressVerified: m.Email != "" && m.EmailVerified,
		Roles:                a.wireRoles(m),
		TrustedMetadata:      orNone(m.TrustedMetadata), UntrustedMetadata: orNone(m.UntrustedMetadata),
		CreatedAt: timestampOrNone(m.CreatedAt), UpdatedAt: timestampOrNone(m.UpdatedAt),
		ExternalID: m.ExternalID(), UnverifiedEmail: m.UnverifiedEmail,
	}
}

// wireRoles lists every role the member may have, the operator's and those of
// profiles; which of the latter hold is a matter of the session.
func (a *API) wireRoles(m directory.Member) []wireRole {
	profiles := make([]string, 0, len(m.ProfileRoles))
	for p := range m.ProfileRoles {
		profiles = append(profiles, p)
	}
	slices.Sort(profiles)
	list := []wireRole{}
	roles := a.core.WithDefaultRole(m.EffectiveRoles(profiles))
	for _, id := range roles {
		list = append(list, wireRole{id, []wireSource{{"direct_assignment", claims.Object{}}}})
	}
	return list
}

type wireOrganization struct {
	OrganizationID                 string        `json:"organization_id"`
	OrganizationName               string        `json:"organization_name"`
	OrganizationLogoURL            string        `json:"organization_logo_url"`
	OrganizationSlug               string        `json:"organization_slug"`
	SSOJITProvisioning             string        `json:"sso_jit_provisioning"`
	SSOJITAllowedConnections       []any         `json:"sso_jit_provisioning_allowed_connections"`
	SSOActiveConnections           []any         `json:"sso_active_connections"`
	EmailAllowedDomains            []any         `json:"email_allowed_domains"`
	EmailJITProvisioning           string        `json:"email_jit_provisioning"`
	EmailInvites                   string        `json:"email_invites"`
	AuthMethods                    string        `json:"auth_methods"`
	AllowedAuthMethods             []any         `json:"allowed_auth_methods"`
	MFAPolicy                      string        `json:"mfa_policy"`
	RBACEmailImplicitRoles         []any         `json:"rbac_email_implicit_role_assignments"`
	MFAMethods                     string        `json:"mfa_methods"`
	AllowedMFAMethods              []any         `json:"allowed_mfa_methods"`
	OAuthTenantJITProvisioning     string        `json:"oauth_tenant_jit_provisioning"`
	ClaimedEmailDomains            []any         `json:"claimed_email_domains"`
	FirstPartyConnectedAppsAllowed string        `json:"first_party_connected_apps_allowed_type"`
	AllowedFirstPartyConnectedApps []any         `json:"allowed_first_party_connected_apps"`
	ThirdPartyConnectedAppsAllowed string        `json:"third_party_connected_apps_allowed_type"`
	AllowedThirdPartyConnectedApps []any         `json:"allowed_third_party_connected_apps"`
	CustomRoles                    []any         `json:"custom_roles"`
	TrustedMetadata                claims.Object `json:"trusted_metadata"`
	CreatedAt                      string        `json:"created_at,omitempty"`
	UpdatedAt                      string        `json:"updated_at,omitempty"`
	OrganizationExternalID         string        `json:"organization_external_id,omitempty"`
	Profiles                       []string      `json:"profiles,omitzero"`
}

func wireOrganizationOf(o directory.Organization) wireOrganization {
	const no, all = "NOT_ALLOWED", "ALL_ALLOWED"
	return wireOrganization{
		OrganizationID: o.ID, OrganizationName: o.Name, OrganizationSlug: o.Slug,
		SSOJITProvisioning: no, SSOJITAllowedConnections: []any{}, SSOActiveConnections: []any{},
		EmailAllowedDomains: []any{}, EmailJITProvisioning: no, EmailInvites: all, AuthMethods: all,
		AllowedAuthMethods: []any{}, MFAPolicy: "OPTIONAL", RBACEmailImplicitRoles: []any{}, MFAMethods: all,
		AllowedMFAMethods: []any{}, OAuthTenantJITProvisioning: no, ClaimedEmailDomains: []any{},
		FirstPartyConnectedAppsAllowed: all, AllowedFirstPartyConnectedApps: []any{},
		ThirdPartyConnectedAppsAllowed: all, AllowedThirdPartyConnectedApps: []any{}, CustomRoles: []any{},
		TrustedMetadata: orNone(o.TrustedMetadata), OrganizationExternalID: o.ExternalID, Profiles: o.Profiles,
		CreatedAt: timestampOrNone(o.CreatedAt), UpdatedAt: timestampOrNone(o.UpdatedAt),
	}
}

// retired are former addresses; none of them has an id of its own here.
func retired(addresses []string) []any {
	list := make([]any, len(addresses))
	for i, a := range addresses {
		list[i] = claims.Object{"email_id": "", "email_address": a}
	}
	return list
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func orNone(o claims.Object) claims.Object {
	if o == nil {
		return claims.Object{}
	}
	return o
}
