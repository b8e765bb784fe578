package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/store"
)

// change is one change of a member and of the indexes that find it, which are
// written together or not at all.
type change struct {
	member *storedMember
	// had are the index names of the member as it was read.
	had []string
	// yielding are members whose names the member takes: tombstones, if the API asks
	// for it, and the unverified holder of an address that a token or the API verifies.
	yielding []*storedMember
}

// notify calls demoted, which may be nil, for a change that was written.
func (c change) notify(demoted func(Member), err error) {
	if err != nil || demoted == nil {
		return
	}
	for _, loser := range c.yielding {
		demoted(loser.exported())
	}
}

// saveMember writes the change. It answers errAgain where a record is no longer
// as it was read, or where another member has one of the names.
func (d *Directory) saveMember(ctx context.Context, c change) error {
	entries, err := d.readTouched(ctx, c)
	if err != nil {
		return err
	}
	return d.saveOver(ctx, c, entries)
}

// readTouched reads the index that a change writes.
func (d *Directory) readTouched(ctx context.Context, c change) (index, error) {
	c.member.tidy()
	return d.readIndex(ctx, c.member.OrganizationID, d.touched(c))
}

// saveOver is saveMember where the index was read.
func (d *Directory) saveOver(ctx context.Context, c change, entries index) error {
	m := c.member
	m.UpdatedAt = d.time()
	ops, err := d.changeOps(c, entries)
	if err != nil {
		return err
	}
	if err := d.store.Apply(ctx, partition(m.OrganizationID), ops...); err != nil {
		return fmt.Errorf("directory: member: %w", err)
	}
	m.version++
	return nil
}

// touched are all index names that the change may write.
func (d *Directory) touched(c change) []string {
	keys := append(d.names.memberKeys(&c.member.memberRecord), c.had...)
	for _, loser := range c.yielding {
		keys = append(keys, d.names.memberKeys(&loser.memberRecord)...)
	}
	return sortedSet(keys)
}

// index is what index names say now: who has each, at which version.
type index map[string]indexEntry

type indexEntry struct {
	member  string // empty: nobody
	version uint64
}

func (d *Directory) readIndex(ctx context.Context, organizationID string, keys []string) (index, error) {
	entries := make(index, len(keys))
	if len(keys) == 0 {
		return entries, nil
	}
	records, err := d.store.Get(ctx, partition(organizationID), keys...)
	if err != nil {
		return nil, fmt.Errorf("directory: index: %w", err)
	}
	for i, r := range records {
		if entries[keys[i]], err = readIndexEntry(r); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func readIndexEntry(r store.Record) (indexEntry, error) {
	if !r.Exists() {
		return indexEntry{}, nil
	}
	var entry indexRecord
	err := decode(r, &entry)
	return indexEntry{member: entry.Member, version: r.Version}, err
}

func (d *Directory) changeOps(c change, entries index) ([]store.Op, error) {
	op, err := d.memberOp(c.member)
	if err != nil {
		return nil, err
	}
	ops := []store.Op{op}
	wanted := d.names.memberKeys(&c.member.memberRecord)
	if ops, err = c.claim(ops, wanted, entries); err != nil {
		return nil, err
	}
	ops = release(ops, c.member.ID, c.had, wanted, entries)
	for _, loser := range c.yielding {
		op, err := d.memberOp(loser.yielded(&c.member.memberRecord))
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func (d *Directory) memberOp(m *storedMember) (store.Op, error) {
	return write(memberKey(m.ID), m.version, m.memberRecord, membersTag(m.OrganizationID), memberTag(m.ID))
}

// claim adds the ops that give the member the names it wants and has not.
func (c change) claim(ops []store.Op, wanted []string, entries index) ([]store.Op, error) {
	for _, key := range wanted {
		entry := entries[key]
		switch {
		case entry.member == c.member.ID:
			continue
		case entry.member != "" && !c.mayTakeFrom(entry.member):
			return nil, errAgain
		}
		op, err := write(key, entry.version, indexRecord{Member: c.member.ID})
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func (c change) mayTakeFrom(memberID string) bool {
	return slices.ContainsFunc(c.yielding, func(m *storedMember) bool { return m.ID == memberID })
}

// release adds the ops that drop the names the member had and nobody wants.
func release(ops []store.Op, memberID string, had, wanted []string, entries index) []store.Op {
	for _, key := range had {
		entry := entries[key]
		if entry.member == memberID && !slices.Contains(wanted, key) {
			ops = append(ops, store.Op{Key: key, Expect: entry.version})
		}
	}
	return ops
}

// yielded is a member of whom another one took a name. It loses what was taken and
// nothing else: whoever was deleted stays so by every other name they were found
// by, and whoever had an address unverified goes on by their external id.
func (m *storedMember) yielded(taker *memberRecord) *storedMember {
	y := *m
	y.UpdatedAt = taker.UpdatedAt
	y.yieldEmail(taker.Email)
	y.ExternalIDs = maps.Clone(y.ExternalIDs)
	for namespace, id := range taker.ExternalIDs {
		if y.ExternalIDs[namespace] == id {
			delete(y.ExternalIDs, namespace)
		}
	}
	return &y
}

func (m *memberRecord) yieldEmail(taken string) {
	switch {
	case taken == "" || m.Email != taken:
	case m.deleted():
		m.retireEmail()
	default:
		m.demoteEmail()
	}
}
