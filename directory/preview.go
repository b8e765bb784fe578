package directory

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// A Preview is what Resolve would do with a token now.
type Preview struct {
	Organization Organization
	// Member is as it would be; empty where the organization would be created first.
	Member Member
	// CreatesOrganization, CreatesMember and ChangesMember tell what would be written.
	CreatesOrganization, CreatesMember, ChangesMember bool
}

// errWouldCreate ends a preview at the organization that would be created.
var errWouldCreate = errors.New("directory: the organization would be created")

// Preview answers what Resolve would do, and does nothing: nothing is written, and no
// rate is used up. A refusal is that of Resolve, but for rates, which are not looked at.
func (d *Directory) Preview(ctx context.Context, a Assertion) (Preview, error) {
	dry := &dryStore{Store: d.store}
	twin := &Directory{store: dry, configured: d.configured, names: d.names, now: d.now, random: d.random, rates: NewRates()}
	a.Demoted, a.Created = nil, nil
	var p Preview
	var err error
	p.Organization, p.Member, err = twin.Resolve(ctx, a)
	p.CreatesOrganization, p.CreatesMember, p.ChangesMember = dry.organization, dry.member, dry.change
	if errors.Is(err, errWouldCreate) {
		p.CreatesMember, err = true, nil
	}
	return p, err
}

// A dryStore takes note of what would be written.
type dryStore struct {
	store.Store
	organization, member, change bool
}

// Apply implements store.Store: it writes nothing. An organization that does not come
// into being cannot be read afterwards, so that the preview ends there.
func (s *dryStore) Apply(_ context.Context, _ string, ops ...store.Op) error {
	for _, op := range ops {
		switch {
		case op.Key == organizationKey && op.Expect == 0:
			s.organization = true
			return errWouldCreate
		case strings.HasPrefix(op.Key, memberKeyPrefix) && op.Expect == 0:
			s.member = true
		case strings.HasPrefix(op.Key, memberKeyPrefix):
			s.change = true
		}
	}
	return nil
}

// Touch implements store.Store: it does nothing.
func (s *dryStore) Touch(context.Context, string, string, time.Time) error { return nil }
