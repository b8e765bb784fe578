package bolt

import (
	"bytes"
	"context"

	"github.com/attestgate/caddy-attest/store"
)

// scanPerView is how many records one reading transaction of Scan names. While
// one is open, the pages that writers free cannot be used again, so none is kept
// open while the caller works.
const scanPerView = 512

// Scan implements store.Rewriter.
func (s *Store) Scan(ctx context.Context, fn func(store.Ref) error) error {
	var last []byte
	for {
		names, err := s.namesAfter(ctx, last)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, record := range names {
			if ref, ok := parseRecordName(record); ok {
				if err := fn(ref); err != nil {
					return err
				}
			}
		}
		last = names[len(names)-1]
	}
}

// namesAfter are the names of the records that follow the last in the file's order.
func (s *Store) namesAfter(ctx context.Context, last []byte) (names [][]byte, err error) {
	err = s.readTransaction(ctx, func(t table) error {
		c := t.records.Cursor()
		k, _ := c.Seek(last)
		if k != nil && bytes.Equal(k, last) {
			k, _ = c.Next()
		}
		for ; k != nil && len(names) < scanPerView; k, _ = c.Next() {
			names = append(names, bytes.Clone(k))
		}
		return nil
	})
	return names, err
}

// Rewrite implements store.Rewriter. Like every write it shares a transaction with
// those that wait beside it, so who rewrites much does well to do several at once.
func (s *Store) Rewrite(ctx context.Context, ref store.Ref, old, new []byte) error {
	if err := store.CheckRewrite(ref, old, new); err != nil {
		return err
	}
	record := joinName(ref.Partition, ref.Key)
	return s.submitWrite(ctx, &write{
		check:  func(t table) error { return t.checkValue(record, old) },
		change: func(t table) error { return t.rewriteValue(record, new) },
	})
}

// checkValue refuses where the record's value is another.
func (t table) checkValue(record, value []byte) error {
	r, err := t.live(record)
	if err == nil && (r == nil || !bytes.Equal(r.value, value)) {
		err = store.ErrConflict
	}
	return err
}

// rewriteValue changes the value alone: the indexes know nothing of it.
func (t table) rewriteValue(record, value []byte) error {
	r, err := t.readRow(record)
	if err != nil || r == nil {
		return err
	}
	r.value = value
	return t.records.Put(record, r.encode())
}
