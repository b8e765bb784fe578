package api

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Wherever a call names an organization, by path or body, it may be an id, an
// external id or a slug; answers always carry the id.

func (a *API) organizationEndpoints(all map[string]byMethod) {
	const base = "/v1/b2b/organizations"
	const one = base + "/{organization_id}"
	all[base+"/"] = notFound
	all[base] = byMethod{http.MethodPost: changing(authn.ScopeDirectory, a.createOrganization)}
	all[base+"/search"] = byMethod{http.MethodPost: reading(authn.ScopeDirectory, a.searchOrganizations)}
	all[one] = byMethod{
		http.MethodGet:    reading(authn.ScopeDirectory, a.getOrganization),
		http.MethodPut:    changing(authn.ScopeDirectory, a.updateOrganization),
		http.MethodDelete: changing(authn.ScopeDirectory, a.deleteOrganization),
	}
	all[one+"/external_id"] = byMethod{http.MethodDelete: changing(authn.ScopeDirectory, a.removeOrganizationExternalID)}
}

// organizationBody is what a caller says of an organization. Absent members keep
// what there is; profiles is ours, and null removes the list.
type organizationBody struct {
	Name            *string       `json:"organization_name"`
	Slug            *string       `json:"organization_slug"`
	ExternalID      *string       `json:"organization_external_id"`
	TrustedMetadata claims.Object `json:"trusted_metadata"`
	Profiles        profileList   `json:"profiles"`
}

// profileList is the names of profiles, nil for null, and whether there were any
// or a null.
type profileList struct {
	given bool
	names []string
}

func (l *profileList) UnmarshalJSON(data []byte) error {
	l.given = true
	return strictjson.Unmarshal(data, &l.names)
}

// change is what the list changes; nil: nothing.
func (l *profileList) change() *[]string {
	if !l.given {
		return nil
	}
	return &l.names
}

type organizationAnswer struct {
	StatusCode   int              `json:"status_code"`
	RequestID    string           `json:"request_id"`
	Organization wireOrganization `json:"organization"`
}

func answerOrganization(o directory.Organization) organizationAnswer {
	return organizationAnswer{http.StatusOK, requestID(), wireOrganizationOf(o)}
}

// createOrganization: POST /v1/b2b/organizations.
func (a *API) createOrganization(ctx context.Context, r *http.Request) (any, error) {
	var in organizationBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	n := directory.NewOrganization{
		Name: text(in.Name), Slug: text(in.Slug), ExternalID: text(in.ExternalID), TrustedMetadata: in.TrustedMetadata,
		Profiles: in.Profiles.names,
	}
	o, err := a.core.CreateOrganization(ctx, n)
	if err != nil {
		return nil, err
	}
	return answerOrganization(o), nil
}

// getOrganization: GET /v1/b2b/organizations/{organization_id}.
func (a *API) getOrganization(ctx context.Context, r *http.Request) (any, error) {
	o, err := a.core.Directory.FindOrganization(ctx, r.PathValue("organization_id"))
	if err != nil {
		return nil, err
	}
	return answerOrganization(o), nil
}

// updateOrganization: PUT /v1/b2b/organizations/{organization_id}.
func (a *API) updateOrganization(ctx context.Context, r *http.Request) (any, error) {
	var in organizationBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	return a.changeOrganization(ctx, r, directory.OrganizationChange{
		Name: in.Name, Slug: in.Slug, ExternalID: in.ExternalID, Profiles: in.Profiles.change(), TrustedMetadata: in.TrustedMetadata,
	})
}

// removeOrganizationExternalID: DELETE
// /v1/b2b/organizations/{organization_id}/external_id.
func (a *API) removeOrganizationExternalID(ctx context.Context, r *http.Request) (any, error) {
	return a.changeOrganization(ctx, r, directory.OrganizationChange{ExternalID: new(string)})
}

func (a *API) changeOrganization(ctx context.Context, r *http.Request, c directory.OrganizationChange) (any, error) {
	o, err := a.core.UpdateOrganization(ctx, r.PathValue("organization_id"), c)
	if err != nil {
		return nil, err
	}
	return answerOrganization(o), nil
}

type deletedOrganizationAnswer struct {
	StatusCode     int    `json:"status_code"`
	RequestID      string `json:"request_id"`
	OrganizationID string `json:"organization_id"`
}

// deleteOrganization: DELETE /v1/b2b/organizations/{organization_id}. Every session
// of its members ends with it, since none outlives its organization.
func (a *API) deleteOrganization(ctx context.Context, r *http.Request) (any, error) {
	o, err := a.core.DeleteOrganization(ctx, r.PathValue("organization_id"))
	if err != nil {
		return nil, err
	}
	return deletedOrganizationAnswer{http.StatusOK, requestID(), o.ID}, nil
}

// text is what p points to, or nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
