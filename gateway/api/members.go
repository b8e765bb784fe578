package api

import (
	"context"
	"errors"
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"net/http"
	"slices"
)

// Wherever a call names a member, it may be an id or the external id that the API
// gave; answers always carry the id.

func (a *API) memberEndpoints(all map[string]byMethod) {
	const base = "/v1/b2b/organizations"
	const list = base + "/{organization_id}/members"
	const one = list + "/{member_id}"
	all[list] = byMethod{http.MethodPost: changing(authn.ScopeDirectory, a.createMember)}
	all[base+"/{organization_id}/member"] = byMethod{http.MethodGet: reading(authn.ScopeDirectory, a.getMember)}
	all[one] = byMethod{
		http.MethodPut:    changing(authn.ScopeDirectory, a.updateMember),
		http.MethodDelete: changing(authn.ScopeDirectory, a.deleteMember),
	}
	all[one+"/reactivate"] = byMethod{http.MethodPut: changing(authn.ScopeDirectory, a.reactivateMember)}
	all[one+"/external_id"] = byMethod{http.MethodDelete: changing(authn.ScopeDirectory, a.removeMemberExternalID)}
	all[base+"/members/search"] = byMethod{http.MethodPost: reading(authn.ScopeDirectory, a.searchMembers)}
	all[base+"/members/dangerously_get/{member_id}"] = byMethod{http.MethodGet: reading(authn.ScopeDirectory, a.locateMember)}
}

// memberBody is what a caller says of a member. Absent members keep what there
// is; email_address_verified is ours.
type memberBody struct {
	Email             *string       `json:"email_address"`
	EmailVerified     *bool         `json:"email_address_verified"`
	ExternalID        *string       `json:"external_id"`
	Name              *string       `json:"name"`
	Roles             *[]string     `json:"roles"`
	TrustedMetadata   claims.Object `json:"trusted_metadata"`
	UntrustedMetadata claims.Object `json:"untrusted_metadata"`
}

// roles are those to be kept: the default role is everybody's already.
func (b memberBody) roles(compat bool) *[]string {
	if b.Roles == nil || !compat {
		return b.Roles
	}
	list := slices.DeleteFunc(slices.Clone(*b.Roles), func(role string) bool { return role == authn.DefaultRole })
	return &list
}

// newMemberBody is memberBody for one who is not there yet. status is ours, and
// says more than Stytch's create_member_as_pending.
type newMemberBody struct {
	memberBody
	Status    string `json:"status"`
	AsPending bool   `json:"create_member_as_pending"`
}

var errTwoStatuses = errors.New("status and create_member_as_pending say two things")

func (b newMemberBody) status() (string, error) {
	switch {
	case !b.AsPending:
		return b.Status, nil
	case b.Status == "" || b.Status == directory.StatusPending:
		return directory.StatusPending, nil
	}
	return "", authn.Refuse("invalid_argument", errTwoStatuses)
}

type memberAnswer struct {
	StatusCode   int              `json:"status_code"`
	RequestID    string           `json:"request_id"`
	MemberID     string           `json:"member_id"`
	Member       wireMember       `json:"member"`
	Organization wireOrganization `json:"organization"`
}

func (a *API) answerMember(ctx context.Context, m directory.Member) (any, error) {
	o, err := a.core.Directory.Organization(ctx, m.OrganizationID)
	if err != nil {
		return nil, err
	}
	return memberAnswer{http.StatusOK, requestID(), m.ID, a.wireMember(m), wireOrganizationOf(o)}, nil
}

// answerChanged is answerMember for a change that may have failed.
func (a *API) answerChanged(ctx context.Context, m directory.Member, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return a.answerMember(ctx, m)
}

// createMember: POST /v1/b2b/organizations/{organization_id}/members.
func (a *API) createMember(ctx context.Context, r *http.Request) (any, error) {
	var in newMemberBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	status, err := in.status()
	if err != nil {
		return nil, err
	}
	n := directory.NewMember{
		Email: text(in.Email), EmailVerified: in.EmailVerified != nil && *in.EmailVerified, ExternalID: text(in.ExternalID),
		Name: text(in.Name), Status: status, TrustedMetadata: in.TrustedMetadata, UntrustedMetadata: in.UntrustedMetadata,
	}
	if roles := in.roles(a.core.Compat); roles != nil {
		n.Roles = *roles
	}
	m, err := a.core.CreateMember(ctx, r.PathValue("organization_id"), n)
	return a.answerChanged(ctx, m, err)
}

var errMemberArguments = errors.New("one of member_id and email_address is required")

// getMember: GET /v1/b2b/organizations/{organization_id}/member, by member_id or
// email_address.
func (a *API) getMember(ctx context.Context, r *http.Request) (any, error) {
	q := r.URL.Query()
	id, email := q.Get("member_id"), q.Get("email_address")
	if (id == "") == (email == "") {
		return nil, authn.Refuse("invalid_argument", errMemberArguments)
	}
	d := a.core.Directory
	o, err := d.FindOrganization(ctx, r.PathValue("organization_id"))
	if err != nil {
		return nil, err
	}
	find, ref := d.FindMember, id
	if id == "" {
		find, ref = d.FindMemberByEmail, email
	}
	m, err := find(ctx, o.ID, ref)
	if err != nil {
		return nil, err
	}
	return a.answerMember(ctx, m)
}

// locateMember: GET /v1/b2b/organizations/members/dangerously_get/{member_id}. The
// danger is the caller's: it must not take the member for one of an organization
// that it has in mind.
func (a *API) locateMember(ctx context.Context, r *http.Request) (any, error) {
	m, err := a.core.Directory.LocateMember(ctx, r.PathValue("member_id"))
	if err != nil {
		return nil, err
	}
	return a.answerMember(ctx, m)
}

// updateMember: PUT /v1/b2b/organizations/{organization_id}/members/{member_id}.
func (a *API) updateMember(ctx context.Context, r *http.Request) (any, error) {
	var in memberBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	m, err := a.core.UpdateMember(ctx, r.PathValue("organization_id"), r.PathValue("member_id"), directory.MemberChange{
		Email: in.Email, EmailVerified: in.EmailVerified, ExternalID: in.ExternalID, Name: in.Name,
		Roles: in.roles(a.core.Compat), TrustedMetadata: in.TrustedMetadata, UntrustedMetadata: in.UntrustedMetadata,
	})
	return a.answerChanged(ctx, m, err)
}

// reactivateMember: PUT …/members/{member_id}/reactivate. Sessions that ended with
// the deletion stay ended.
func (a *API) reactivateMember(ctx context.Context, r *http.Request) (any, error) {
	m, err := a.core.ReactivateMember(ctx, r.PathValue("organization_id"), r.PathValue("member_id"))
	return a.answerChanged(ctx, m, err)
}

// removeMemberExternalID: DELETE …/members/{member_id}/external_id. Ids that
// profiles know the member by stay.
func (a *API) removeMemberExternalID(ctx context.Context, r *http.Request) (any, error) {
	m, err := a.core.RemoveMemberExternalID(ctx, r.PathValue("organization_id"), r.PathValue("member_id"))
	return a.answerChanged(ctx, m, err)
}

type deletedMemberAnswer struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
	MemberID   string `json:"member_id"`
}

// deleteMember: DELETE …/members/{member_id}. The member's sessions end. Should the
// store fail in between, they are refused all the same, and for good.
func (a *API) deleteMember(ctx context.Context, r *http.Request) (any, error) {
	m, err := a.core.DeleteMember(ctx, r.PathValue("organization_id"), r.PathValue("member_id"))
	if err != nil {
		return nil, err
	}
	return deletedMemberAnswer{http.StatusOK, requestID(), m.ID}, nil
}
