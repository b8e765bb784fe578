package gateway

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// Wherever a call names an organization, by path or body, it may be an id, an
// external id or a slug; answers always carry the id.

func (a *API) organizationEndpoints(all map[string]byMethod) {
	const base = "/v1/b2b/organizations"
	const one = base + "/{organization_id}"
	all[base] = byMethod{http.MethodPost: changing(directing, a.createOrganization)}
	all[base+"/search"] = byMethod{http.MethodPost: reading(directing, a.searchOrganizations)}
	all[one] = byMethod{
		http.MethodGet:    reading(directing, a.getOrganization),
		http.MethodPut:    changing(directing, a.updateOrganization),
		http.MethodDelete: changing(directing, a.deleteOrganization),
	}
	all[one+"/external_id"] = byMethod{http.MethodDelete: changing(directing, a.removeOrganizationExternalID)}
}

// organizationBody is what a caller says of an organization. Absent members keep
// what there is; profiles is ours.
type organizationBody struct {
	Name            *string       `json:"organization_name"`
	Slug            *string       `json:"organization_slug"`
	ExternalID      *string       `json:"organization_external_id"`
	TrustedMetadata claims.Object `json:"trusted_metadata"`
	Profiles        *[]string     `json:"profiles"`
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
	if err := a.readOrganization(r, &in); err != nil {
		return nil, err
	}
	n := directory.NewOrganization{
		Name: text(in.Name), Slug: text(in.Slug), ExternalID: text(in.ExternalID), TrustedMetadata: in.TrustedMetadata,
	}
	if in.Profiles != nil {
		n.Profiles = *in.Profiles
	}
	o, err := a.gateway.Directory.CreateOrganization(ctx, n)
	if err != nil {
		return nil, err
	}
	a.gateway.cache.organizations.drop(o.ID)
	return answerOrganization(o), nil
}

// readOrganization refuses a profile that is not configured: one with a misspelt
// name would admit nobody, in silence.
func (a *API) readOrganization(r *http.Request, in *organizationBody) error {
	if err := a.read(r, in); err != nil {
		return err
	}
	if in.Profiles == nil {
		return nil
	}
	for _, name := range *in.Profiles {
		if _, known := a.gateway.Profiles.Profile(name); !known {
			return refuse("trusted_token_profile_not_found", nil)
		}
	}
	return nil
}

// getOrganization: GET /v1/b2b/organizations/{organization_id}.
func (a *API) getOrganization(ctx context.Context, r *http.Request) (any, error) {
	o, err := a.gateway.Directory.FindOrganization(ctx, r.PathValue("organization_id"))
	if err != nil {
		return nil, err
	}
	return answerOrganization(o), nil
}

// updateOrganization: PUT /v1/b2b/organizations/{organization_id}.
func (a *API) updateOrganization(ctx context.Context, r *http.Request) (any, error) {
	var in organizationBody
	if err := a.readOrganization(r, &in); err != nil {
		return nil, err
	}
	return a.changeOrganization(ctx, r, directory.OrganizationChange{
		Name: in.Name, Slug: in.Slug, ExternalID: in.ExternalID, Profiles: in.Profiles, TrustedMetadata: in.TrustedMetadata,
	})
}

// removeOrganizationExternalID: DELETE
// /v1/b2b/organizations/{organization_id}/external_id.
func (a *API) removeOrganizationExternalID(ctx context.Context, r *http.Request) (any, error) {
	return a.changeOrganization(ctx, r, directory.OrganizationChange{ExternalID: new(string)})
}

func (a *API) changeOrganization(ctx context.Context, r *http.Request, c directory.OrganizationChange) (any, error) {
	o, err := a.gateway.Directory.UpdateOrganization(ctx, r.PathValue("organization_id"), c)
	if err != nil {
		return nil, err
	}
	a.gateway.cache.organizations.drop(o.ID)
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
	g := a.gateway
	o, err := g.Directory.FindOrganization(ctx, r.PathValue("organization_id"))
	if err != nil {
		return nil, err
	}
	if err := g.Directory.DeleteOrganization(ctx, o.ID); err != nil {
		return nil, err
	}
	g.cache.organizations.drop(o.ID)
	return deletedOrganizationAnswer{http.StatusOK, requestID(), o.ID}, nil
}

// text is what p points to, or nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
