package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := store.CheckApply(partition, ops); err != nil {
		return err
	}
	return s.submitWrite(ctx, &write{
		check:    func(t table) error { return t.checkVersions(partition, ops) },
		change:   func(t table) error { return t.apply(partition, ops) },
		announce: func() { s.hub.Changed(partition, ops) },
	})
}

// Touch implements store.Store.
func (s *Store) Touch(ctx context.Context, partition, key string, until time.Time) error {
	if err := store.CheckKeys(partition, key); err != nil {
		return err
	}
	record := joinName(partition, key)
	return s.submitWrite(ctx, &write{
		check:  func(t table) error { return t.checkTouch(record) },
		change: func(t table) error { return t.touch(record, until) },
	})
}

// checkVersions reports whether every op finds what it expects.
func (t table) checkVersions(partition string, ops []store.Op) error {
	for i := range ops {
		if ops[i].Blind {
			continue
		}
		r, err := t.live(joinName(partition, ops[i].Key))
		if err != nil {
			return err
		}
		if (r != nil) != (ops[i].Expect != 0) || r != nil && r.version != ops[i].Expect {
			return store.ErrConflict
		}
	}
	return nil
}

func (t table) apply(partition string, ops []store.Op) error {
	for i := range ops {
		record := joinName(partition, ops[i].Key)
		if err := t.removeRecord(record); err != nil {
			return err
		}
		if ops[i].Value == nil {
			continue
		}
		if err := t.putRecord(record, newRow(&ops[i])); err != nil {
			return err
		}
	}
	return nil
}

// checkTouch reports whether there is something to touch.
func (t table) checkTouch(record []byte) error {
	r, err := t.live(record)
	if err == nil && r == nil {
		err = errNothing
	}
	return err
}

func (t table) touch(record []byte, until time.Time) error {
	r, err := t.readRow(record)
	if err != nil || r == nil {
		return err
	}
	moved := *r
	moved.value = bytes.Clone(r.value)
	moved.until = store.Millis(store.Sooner(until, store.FromMillis(r.expires)))
	if err := t.removeRecord(record); err != nil {
		return err
	}
	return t.putRecord(record, moved)
}

// putRecord writes a record that is not there, and its places in the indexes.
func (t table) putRecord(record []byte, r row) error {
	if err := t.records.Put(record, r.encode()); err != nil {
		return err
	}
	if r.until != 0 {
		if err := t.ends.Put(endName(r.until, record), nil); err != nil {
			return err
		}
	}
	for _, tag := range r.tags {
		if err := t.tags.Put(append(joinName(tag, ""), record...), nil); err != nil {
			return err
		}
	}
	return nil
}

// removeRecord deletes a record, if it is there, from everywhere. What the indexes hold of
// a malformed one is left to them.
func (t table) removeRecord(record []byte) error {
	r, err := t.readRow(record)
	if err != nil {
		return t.records.Delete(record)
	}
	if r == nil {
		return nil
	}
	for _, tag := range r.tags {
		if err := t.tags.Delete(append(joinName(tag, ""), record...)); err != nil {
			return err
		}
	}
	if r.until != 0 {
		if err := t.ends.Delete(endName(r.until, record)); err != nil {
			return err
		}
	}
	return t.records.Delete(record)
}
