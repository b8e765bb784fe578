package directory

import (
	"context"
	"fmt"
	"slices"
)

// Why a configured organization does not adopt the one that bears its external
// id.
const (
	// AdoptionBothHaveMembers: tokens and callers have used both. The members of one
	// must be deleted, or the configured one be given another external id.
	AdoptionBothHaveMembers = "both have members"
	// AdoptionCreatedByAPI: only what a token has created is adopted.
	AdoptionCreatedByAPI = "it was created by the API"
	// AdoptionProfileNotListed: the profile that created it is not among the
	// profiles of the configured one.
	AdoptionProfileNotListed = "the profile that created it is not listed"
)

// Adoption is what became of a configured organization whose external id an
// organization already bears.
type Adoption struct {
	// ConfiguredID is the operator's id, OrganizationID the other one's.
	ConfiguredID, OrganizationID string
	// Profile has created the other one; it may be empty.
	Profile string
	// Refused is why it was not adopted, one of the Adoption constants; empty: it
	// was, for the first time.
	Refused string
}

// Adopt lets each configured organization be the one that a profile of its list
// has already created just in time under its external id, unless it has members of
// its own or NoAdoption. The created id stays the organization's, with members and
// sessions; the operator's id refers to it. Adopt must be called once, before
// anything else is asked of the Directory. It answers what is worth a line in the
// log: adoptions that are new, and those that were refused.
func (d *Directory) Adopt(ctx context.Context) ([]Adoption, error) {
	operators := d.configured.sorted()
	var texts []string
	for _, o := range operators {
		texts = append(texts, o.ID, o.ExternalID)
	}
	found, err := d.readReferences(ctx, texts)
	if err != nil {
		return nil, err
	}
	var adoptions []Adoption
	for i, o := range operators {
		a, err := d.adopt(ctx, o, found[2*i], found[2*i+1])
		if err != nil {
			return nil, fmt.Errorf("directory: organization %s: %w", o.ID, err)
		}
		if a != nil {
			adoptions = append(adoptions, *a)
		}
	}
	return adoptions, nil
}

// adopt decides on one configured organization. byID is what its id refers to
// since an earlier adoption, byExternalID what bears its external id.
func (d *Directory) adopt(ctx context.Context, operator *Organization, byID, byExternalID reference) (*Adoption, error) {
	adopted, err := d.adoptable(ctx, byID.organization)
	if err != nil {
		return nil, err
	}
	if adopted != nil && adopted.AdoptedBy == operator.ID {
		d.configured.rename(operator, adopted.ID)
		return nil, nil
	}
	made, err := d.adoptable(ctx, byExternalID.organization)
	if err != nil || made == nil || made.deleted() || operator.NoAdoption || operator.ExternalID == "" || made.ExternalID != operator.ExternalID {
		return nil, err
	}
	a := &Adoption{ConfiguredID: operator.ID, OrganizationID: made.ID, Profile: made.CreatedBy}
	if a.Refused, err = d.refuseAdoption(ctx, operator, made); err != nil || a.Refused != "" {
		return a, err
	}
	if err := d.writeAdoption(ctx, operator.ID, made.ID); err != nil {
		return nil, err
	}
	d.configured.rename(operator, made.ID)
	return a, nil
}

// adoptable is the organization of that id, which may be empty, if it has a record
// and is not configured.
func (d *Directory) adoptable(ctx context.Context, id string) (*storedOrganization, error) {
	if id == "" || d.configured.byID[id] != nil {
		return nil, nil
	}
	o, _, err := d.open(ctx, id)
	if err != nil || !o.exists() {
		return nil, err
	}
	return o, nil
}

func (d *Directory) refuseAdoption(ctx context.Context, operator *Organization, made *storedOrganization) (string, error) {
	switch {
	case made.CreatedBy == ByAPI:
		return AdoptionCreatedByAPI, nil
	case !slices.Contains(operator.Profiles, made.CreatedBy):
		return AdoptionProfileNotListed, nil
	}
	own, err := d.readMembers(ctx, operator.ID)
	if err != nil || len(own) == 0 {
		return "", err
	}
	return AdoptionBothHaveMembers, nil
}

// writeAdoption notes the adoption in the organization, then lets the operator's
// id refer to it. What the operator's own record refuses stays refused.
func (d *Directory) writeAdoption(ctx context.Context, configuredID, madeID string) error {
	return retry(ctx, "adopt", func() error {
		made, _, err := d.open(ctx, madeID)
		if err != nil {
			return err
		}
		own, _, err := d.open(ctx, configuredID)
		if err != nil {
			return err
		}
		made.AdoptedBy, made.NotBefore = configuredID, later(made.NotBefore, own.NotBefore)
		if err := d.saveOrganization(ctx, made); err != nil {
			return err
		}
		return d.refer(ctx, configuredID, madeID)
	})
}

// refer makes the text refer to the organization, whatever it referred to.
func (d *Directory) refer(ctx context.Context, text, organizationID string) error {
	found, err := d.readReferences(ctx, []string{text})
	if err != nil {
		return err
	}
	op, err := write(d.names.reference(text), found[0].version, referenceRecord{Organization: organizationID, At: d.time()})
	if err != nil {
		return err
	}
	if err := d.store.Apply(ctx, referencePartition, op); err != nil {
		return fmt.Errorf("directory: references: %w", err)
	}
	return nil
}

// ConfiguredID is the id of the organization that the operator calls so: another
// one where it was adopted, and the same where nothing configured is called so.
func (d *Directory) ConfiguredID(id string) string {
	if o := d.configured.byConfiguredID[id]; o != nil {
		return o.ID
	}
	return id
}

// Means tells whether the operator's name for an organization is of this one: where an
// organization is configured under the name, of that alone, so that no token can make
// another one that answers to it; else by id or external id.
func (d *Directory) Means(name string, o Organization) bool {
	if configured := d.configured.byConfiguredID[name]; configured != nil {
		return o.ID == configured.ID
	}
	return name != "" && (o.ID == name || o.ExternalID == name)
}
