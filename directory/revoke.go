package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// RevokeMember refuses from now on every token of the member that was issued, and
// every session that was started, at or before at. An earlier revocation never replaces
// a later one. The member may be a deleted one.
func (d *Directory) RevokeMember(ctx context.Context, organizationID, memberID string, at time.Time) error {
	return retry(ctx, "revoke member", func() error {
		m, err := d.loadMember(ctx, organizationID, memberID)
		if err != nil {
			return err
		}
		if !m.moveNotBefore(at) {
			return nil
		}
		return d.saveMember(ctx, change{member: m, had: d.names.memberKeys(&m.memberRecord)})
	})
}

// moveNotBefore moves the member's NotBefore and tells whether it moved.
func (m *memberRecord) moveNotBefore(at time.Time) bool {
	before := m.NotBefore
	m.NotBefore = later(before, at.UTC().Round(0))
	return !m.NotBefore.Equal(before)
}

// RevokeOrganization is RevokeMember for all members of an organization, which may be
// a configured one.
func (d *Directory) RevokeOrganization(ctx context.Context, organizationID string, at time.Time) error {
	return retry(ctx, "revoke organization", func() error {
		o, _, err := d.live(ctx, organizationID)
		if err != nil {
			return err
		}
		before := o.NotBefore
		if o.NotBefore = later(before, at.UTC().Round(0)); o.NotBefore.Equal(before) {
			return nil
		}
		return d.saveOrganization(ctx, o)
	})
}

// RevokeProfile refuses from now on every token of the profile that was issued at or
// before at. Its sessions are for the caller to end: they read ProfileNotBefore.
func (d *Directory) RevokeProfile(ctx context.Context, profile string, at time.Time) error {
	return retry(ctx, "revoke profile", func() error {
		r, err := d.profileRecord(ctx, profile)
		if err != nil {
			return err
		}
		var c cutRecord
		if r.Exists() {
			if err := decode(r, &c); err != nil {
				return err
			}
		}
		before := c.NotBefore
		if c.NotBefore = later(before, at.UTC().Round(0)); c.NotBefore.Equal(before) {
			return nil
		}
		op, err := write(r.Key, r.Version, c)
		if err != nil {
			return err
		}
		if err := d.store.Apply(ctx, referencePartition, op); err != nil {
			return fmt.Errorf("directory: profile %s: %w", profile, err)
		}
		return nil
	})
}

// ProfileNotBefore is when the profile was last revoked; zero: never.
func (d *Directory) ProfileNotBefore(ctx context.Context, profile string) (time.Time, error) {
	r, err := d.profileRecord(ctx, profile)
	if err != nil {
		return time.Time{}, err
	}
	return readNotBefore(r)
}

func (d *Directory) profileRecord(ctx context.Context, profile string) (store.Record, error) {
	if !isName(profile) {
		return store.Record{}, errors.New("directory: not the name of a profile")
	}
	records, err := d.store.Get(ctx, referencePartition, ProfileRef(profile).Key)
	if err != nil {
		return store.Record{}, fmt.Errorf("directory: profile %s: %w", profile, err)
	}
	return records[0], nil
}

func readNotBefore(r store.Record) (time.Time, error) {
	if !r.Exists() {
		return time.Time{}, nil
	}
	var c cutRecord
	err := decode(r, &c)
	return c.NotBefore, err
}
