package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"github.com/attestgate/caddy-attest/store"
)

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if err := store.CheckKeys(partition, keys...); err != nil {
		return nil, err
	}
	records := make([]store.Record, len(keys))
	err := s.readTransaction(ctx, func(t table) error {
		for i, key := range keys {
			r, err := t.live(joinName(partition, key))
			if err != nil {
				return err
			}
			records[i] = store.Record{Key: key}
			if r != nil {
				records[i] = r.record(key)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// List implements store.Store. It names exactly the records that have the tag.
func (s *Store) List(ctx context.Context, tag string) ([]store.Ref, error) {
	if err := store.CheckName(tag); err != nil {
		return nil, err
	}
	var refs []store.Ref
	err := s.readTransaction(ctx, func(t table) (err error) {
		refs, err = t.refsTagged(ctx, tag)
		return err
	})
	if err != nil {
		return nil, err
	}
	return refs, nil
}

// readTransaction runs a reading transaction: it sees the records as they stood together at
// its beginning. It is one goroutine's, since a disk that does not answer cannot be
// interrupted: then the caller leaves when ctx ends, and fn may still be running.
func (s *Store) readTransaction(ctx context.Context, fn func(table) error) error {
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	select {
	case s.reads <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.broken:
		return s.wrapFault(s.err())
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.reads }()
		done <- s.guarded(func() error {
			return s.file.db.View(func(tx *bbolt.Tx) error { return fn(tableOf(tx, s.now())) })
		})
	}()
	select {
	case err := <-done:
		return s.wrapFault(err)
	case <-ctx.Done():
		return ctx.Err()
	case <-s.broken:
		return s.wrapFault(s.err())
	}
}

// checkUsable refuses a call that cannot be served.
func (s *Store) checkUsable(ctx context.Context) error {
	select {
	case <-s.closing:
		return store.ErrClosed
	default:
	}
	if err := s.err(); err != nil {
		return s.wrapFault(err)
	}
	return ctx.Err()
}

// table is the records and their indexes within one transaction.
type table struct {
	records, ends, tags *bbolt.Bucket
	now                 int64
}

func tableOf(tx *bbolt.Tx, now int64) table {
	return table{
		records: tx.Bucket(recordsBucket),
		ends:    tx.Bucket(endsBucket),
		tags:    tx.Bucket(tagsBucket),
		now:     now,
	}
}

// readRow reads a record, expired or not; nil is none.
func (t table) readRow(record []byte) (*row, error) {
	stored := t.records.Get(record)
	if stored == nil {
		return nil, nil
	}
	r, err := decodeRow(stored)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// live is row without those that have expired.
func (t table) live(record []byte) (*row, error) {
	r, err := t.readRow(record)
	if err != nil || r == nil || !r.live(t.now) {
		return nil, err
	}
	return r, nil
}

func (t table) refsTagged(ctx context.Context, tag string) ([]store.Ref, error) {
	var refs []store.Ref
	prefix := joinName(tag, "")
	c := t.tags.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		record := k[len(prefix):]
		r, err := t.live(record)
		if err != nil {
			return nil, err
		}
		if ref, ok := parseRecordName(record); ok && r != nil {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}
