package bolt

import (
	"bytes"
	"context"

	"github.com/attestgate/caddy-attest/store"
)

// Export implements store.Exporter. Like Scan it reads a few records at a time, so
// that no reading transaction stays open while fn works.
func (s *Store) Export(ctx context.Context, fn func(store.Exported) error) error {
	var last []byte
	for {
		records, next, err := s.recordsAfter(ctx, last)
		if err != nil || next == nil {
			return err
		}
		for _, r := range records {
			if err := fn(r); err != nil {
				return err
			}
		}
		last = next
	}
}

// exportBytes is about how much one reading transaction of Export copies.
const exportBytes = 1 << 20

// recordsAfter are the live records that follow a name in the file's order, and the
// name of the last that was looked at; nil is the end.
func (s *Store) recordsAfter(ctx context.Context, last []byte) (records []store.Exported, next []byte, err error) {
	err = s.readTransaction(ctx, func(t table) error {
		c := t.records.Cursor()
		k, v := c.Seek(last)
		if k != nil && bytes.Equal(k, last) {
			k, v = c.Next()
		}
		for size := 0; k != nil && size < exportBytes; k, v = c.Next() {
			size += len(k) + len(v)
			next = bytes.Clone(k)
			r, err := decodeRow(v)
			if err != nil {
				return err
			}
			if ref, ok := parseRecordName(k); ok && r.live(t.now) {
				records = append(records, r.exported(ref))
			}
		}
		return nil
	})
	return records, next, err
}

func (r *row) exported(ref store.Ref) store.Exported {
	return store.Exported{Partition: ref.Partition, Record: r.record(ref.Key), Until: store.FromMillis(r.until), Tags: r.tags}
}
