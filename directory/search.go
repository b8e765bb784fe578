package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/attestgate/caddy-attest/store"
)

const (
	// DefaultLimit and MaxLimit are how many results a page has.
	DefaultLimit = 100
	MaxLimit     = 1000

	readAtOnce = 100 // records of one Get
	readers    = 8   // Gets at a time
)

// OrganizationSearch is what to look for.
type OrganizationSearch struct {
	// Match chooses; nil: all. Deleted organizations are never found.
	Match func(Organization) bool
	// Cursor is the Next of the page before; empty: the first page.
	Cursor string
	// Limit is the length of a page, at most MaxLimit. Default: DefaultLimit.
	Limit int
}

// OrganizationPage is one page of what was found, in the order of ids.
type OrganizationPage struct {
	Organizations []Organization
	// Total is how many there are on all pages.
	Total int
	// Next is the cursor of the next page; empty: this is the last.
	Next string
}

// MemberSearch is what to look for.
type MemberSearch struct {
	// Organizations are references to the organizations to search, at least one.
	Organizations []string
	// Match chooses; nil: all. Deleted says whether deleted members are offered to
	// it.
	Match   func(Member) bool
	Deleted bool
	// Cursor is the Next of the page before; empty: the first page.
	Cursor string
	// Limit is the length of a page, at most MaxLimit. Default: DefaultLimit.
	Limit int
}

// MemberPage is one page of what was found, in the order of ids.
type MemberPage struct {
	Members []Member
	// Total is how many there are on all pages.
	Total int
	// Next is the cursor of the next page; empty: this is the last.
	Next string
}

// SearchOrganizations reads every organization there is, so it is for people
// and their tools, not for requests.
func (d *Directory) SearchOrganizations(ctx context.Context, s OrganizationSearch) (OrganizationPage, error) {
	ids, err := d.organizationIDs(ctx)
	if err != nil {
		return OrganizationPage{}, err
	}
	all, err := d.readOrganizations(ctx, ids)
	if err != nil {
		return OrganizationPage{}, err
	}
	if s.Match != nil {
		all = slices.DeleteFunc(all, func(o Organization) bool { return !s.Match(o) })
	}
	page := OrganizationPage{Total: len(all)}
	page.Organizations, page.Next, err = paginate(all, Organization.id, s.Cursor, s.Limit)
	return page, err
}

func (o Organization) id() string { return o.ID }
func (m Member) id() string       { return m.ID }

// organizationIDs are the configured organizations and those that are listed.
func (d *Directory) organizationIDs(ctx context.Context) ([]string, error) {
	refs, err := d.store.List(ctx, organizationsTag)
	if err != nil {
		return nil, fmt.Errorf("directory: organizations: %w", err)
	}
	var ids []string
	for id := range d.configured.byID {
		ids = append(ids, id)
	}
	for _, ref := range refs {
		if id, ok := organizationOf(ref.Partition); ok && ref == OrganizationRef(id) {
			ids = append(ids, id)
		}
	}
	return sortedSet(ids), nil
}

// readOrganizations keeps those that are there and known: an interrupted
// creation leaves a record to which nothing refers.
func (d *Directory) readOrganizations(ctx context.Context, ids []string) ([]Organization, error) {
	found := make([]*storedOrganization, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, id := range ids {
		group.Go(func() error {
			o, _, err := d.open(ctx, id)
			if err != nil || !o.exists() || o.deleted() {
				return err
			}
			known, err := d.isKnown(ctx, o)
			if known {
				found[i] = o
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var organizations []Organization
	for _, o := range found {
		if o != nil {
			organizations = append(organizations, o.exported())
		}
	}
	return organizations, nil
}

func (d *Directory) isKnown(ctx context.Context, o *storedOrganization) (bool, error) {
	if o.operator != nil {
		return true, nil
	}
	found, err := d.readReferences(ctx, []string{o.Slug})
	return err == nil && found[0].organization == o.ID, err
}

// SearchMembers reads every member of the organizations, so it is for people and
// their tools, not for requests.
func (d *Directory) SearchMembers(ctx context.Context, s MemberSearch) (MemberPage, error) {
	if len(s.Organizations) == 0 {
		return MemberPage{}, errArgument.because("organization_ids")
	}
	all, err := d.membersOf(ctx, s.Organizations)
	if err != nil {
		return MemberPage{}, err
	}
	all = slices.DeleteFunc(all, func(m Member) bool {
		return m.Status == StatusDeleted && !s.Deleted || s.Match != nil && !s.Match(m)
	})
	page := MemberPage{Total: len(all)}
	page.Members, page.Next, err = paginate(all, Member.id, s.Cursor, s.Limit)
	return page, err
}

// membersOf are the members of the organizations that the references mean, in
// the order of their ids.
func (d *Directory) membersOf(ctx context.Context, organizationRefs []string) ([]Member, error) {
	var ids []string
	for _, ref := range organizationRefs {
		o, err := d.findOrganization(ctx, ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, o.ID)
	}
	var all []Member
	for _, id := range sortedSet(ids) {
		members, err := d.readMembers(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
	}
	slices.SortFunc(all, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// readMembers reads the members of one organization, deleted ones too. A list is
// a hint: each record is read and says itself whose it is.
func (d *Directory) readMembers(ctx context.Context, organizationID string) ([]Member, error) {
	refs, err := d.store.List(ctx, membersTag(organizationID))
	if err != nil {
		return nil, fmt.Errorf("directory: members: %w", err)
	}
	var keys []string
	for _, ref := range refs {
		if isMemberRef(ref, organizationID) {
			keys = append(keys, ref.Key)
		}
	}
	var members []Member
	for batch := range slices.Chunk(keys, readAtOnce) {
		records, err := d.store.Get(ctx, partition(organizationID), batch...)
		if err != nil {
			return nil, fmt.Errorf("directory: members: %w", err)
		}
		if members, err = appendMembers(members, records, organizationID); err != nil {
			return nil, err
		}
	}
	return members, nil
}

func appendMembers(members []Member, records []store.Record, organizationID string) ([]Member, error) {
	for _, r := range records {
		m, err := readMember(r, organizationID)
		if err != nil {
			return nil, err
		}
		if m != nil {
			members = append(members, m.exported())
		}
	}
	return members, nil
}

// paginate cuts one page out of results sorted by id.
func paginate[T any](all []T, id func(T) string, cursor string, limit int) (page []T, next string, err error) {
	switch {
	case limit == 0:
		limit = DefaultLimit
	case limit < 0 || limit > MaxLimit:
		return nil, "", errArgument.because("limit")
	}
	start := 0
	for start < len(all) && cursor != "" && id(all[start]) <= cursor {
		start++
	}
	rest := all[start:]
	if len(rest) <= limit {
		return rest, "", nil
	}
	return rest[:limit], id(rest[limit-1]), nil
}
