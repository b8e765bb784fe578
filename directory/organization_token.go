package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// organizationOfToken finds the organization that a token means, if its profile may enter it,
// together with the index records of the token's identity there.
func (d *Directory) organizationOfToken(ctx context.Context, a Assertion) (*storedOrganization, []store.Record, error) {
	id, err := d.organizationID(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	if id == "" {
		return nil, nil, d.createOrganizationFromToken(ctx, a)
	}
	o, index, err := d.open(ctx, id, d.identityKeys(id, a)...)
	if err != nil {
		return nil, nil, err
	}
	switch e := o.exported(); {
	case a.APIOrganization != "" && (!o.exists() || !e.answersTo(a.APIOrganization)):
		return nil, nil, ErrOrganizationNotFound
	case a.Organization != "" && !o.isNamedBy(a):
		return nil, nil, d.createOrganizationFromToken(ctx, a)
	case o.deleted():
		return nil, nil, ErrOrganizationNotFound.because("organization_deleted")
	case !e.Admits(a.Profile, a.APIOrganization != ""):
		return nil, nil, notAdmitted(a)
	}
	return o, index, a.after(o.NotBefore)
}

// notAdmitted tells a caller of the API, who may see all organizations, that this
// one does not admit the profile. To a token it is one that is not there.
func notAdmitted(a Assertion) error {
	if a.APIOrganization != "" {
		return ErrNotAdmitted
	}
	return ErrOrganizationNotFound.because("profile_not_admitted")
}

// isNamedBy tells whether the token names this organization: by external id, or,
// where the name is the operator's own word, by the id of a configured one.
func (o *storedOrganization) isNamedBy(a Assertion) bool {
	if o.operator != nil && a.OrganizationFixed && o.operator.ConfiguredID == a.Organization {
		return true
	}
	return o.exists() && o.externalID() == a.Organization
}

// organizationID is the id of the organization that the token and the caller name, if
// they name one; whether it really is so called is for the caller to check. It
// is empty where the token names one that is not there yet. It also refuses what
// was issued before the profile was revoked, since both are read together.
func (d *Directory) organizationID(ctx context.Context, a Assertion) (string, error) {
	if a.Organization == "" && a.APIOrganization == "" {
		return "", ErrMissingOrganization
	}
	notBefore, token, api, err := d.readOrganizationIDs(ctx, a)
	if err != nil {
		return "", err
	}
	if err := a.after(notBefore); err != nil {
		return "", err
	}
	switch {
	case a.APIOrganization == "":
		return token, nil
	case a.Organization == "" && api == "":
		return "", ErrOrganizationNotFound
	case a.Organization == "":
		return api, nil
	case token != api || token == "" && a.Organization != a.APIOrganization:
		return "", ErrOrganizationClaim.because("token_and_caller_name_two_organizations")
	}
	return token, nil
}

// readOrganizationIDs reads, in one go, when the profile was revoked and what the token's
// and the caller's text refer to. The operator's organizations need no reading.
func (d *Directory) readOrganizationIDs(ctx context.Context, a Assertion) (notBefore time.Time, token, api string, err error) {
	token, api = d.configured.forToken(a), d.configured.forCaller(a.APIOrganization)
	tokenKey, apiKey := d.names.reference(a.Organization), d.names.reference(a.APIOrganization)
	keys := []string{ProfileRef(a.Profile).Key, ProfileRef(AllProfiles).Key}
	if token == "" && a.Organization != "" {
		keys = append(keys, tokenKey)
	}
	if api == "" && a.APIOrganization != "" {
		keys = append(keys, apiKey)
	}
	records, err := d.store.Get(ctx, referencePartition, slices.Compact(keys)...)
	if err != nil {
		return notBefore, "", "", fmt.Errorf("directory: references: %w", err)
	}
	for _, r := range records[2:] {
		found, err := readReference(r)
		if err != nil {
			return notBefore, "", "", err
		}
		if r.Key == tokenKey {
			token = cmp.Or(token, found.organization)
		}
		if r.Key == apiKey {
			api = cmp.Or(api, found.organization)
		}
	}
	for _, r := range records[:2] {
		state, err := readProfileState(r)
		if err != nil {
			return notBefore, "", "", err
		}
		notBefore = later(notBefore, state.NotBefore)
	}
	return notBefore, token, api, nil
}

// createOrganizationFromToken makes the organization that the token is the first
// to name. It never answers nil: what was made is read like any other. A token
// that would be refused as its first member creates nothing.
func (d *Directory) createOrganizationFromToken(ctx context.Context, a Assertion) error {
	switch {
	case !a.CreateOrganizations || a.SecondOnly:
		return ErrOrganizationNotFound
	case looksGenerated(a.Organization, organizationPrefix):
		return ErrOrganizationClaim.because("organization_looks_like_an_id")
	}
	o, err := d.newOrganization(organizationRecord{Name: a.Organization, ExternalID: a.Organization, CreatedBy: a.Profile})
	if err != nil {
		return err
	}
	if err := d.checkFirstMember(o.exported(), a); err != nil {
		return err
	}
	key := d.names.hash("organization", a.Profile, a.Organization)
	err = d.createOnce(ctx, key, func(ctx context.Context) error { return d.createFirstOrganization(ctx, o, a) })
	if err == nil {
		err = errAgain
	}
	return err
}

// checkFirstMember refuses what would be refused once the organization is there.
func (d *Directory) checkFirstMember(o Organization, a Assertion) error {
	if _, err := (candidates{}).choose(a); err != nil {
		return err
	}
	_, err := d.firstMember(o, a)
	return err
}

// createFirstOrganization creates the organization unless somebody has in the meantime.
func (d *Directory) createFirstOrganization(ctx context.Context, o *storedOrganization, a Assertion) error {
	now, err := d.readReferences(ctx, []string{a.Organization})
	if err != nil {
		return err
	}
	if err := d.checkCreation(ctx, a, now[0]); err != nil {
		return err
	}
	if err := d.allowOrganization(a); err != nil {
		return err
	}
	err = d.createOrganization(ctx, o, false)
	if _, taken := isTaken(err); taken {
		return errAgain // since a moment ago
	}
	if err == nil && a.Created != nil {
		a.Created(o.ID, "")
	}
	return err
}

// checkCreation refuses to create an organization under what is another's slug, or a
// configured one's id: a caller of the API who means that one would reach this.
func (d *Directory) checkCreation(ctx context.Context, a Assertion, now reference) error {
	err := d.checkFree(ctx, "", a.Organization, now, false)
	if _, taken := isTaken(err); !taken {
		return err
	}
	if now.organization != "" {
		holder, _, err := d.open(ctx, now.organization)
		if err != nil {
			return err
		}
		if holder.isNamedBy(a) {
			return errAgain
		}
	}
	return ErrOrganizationNotFound.because("organization_is_called_so_otherwise")
}
