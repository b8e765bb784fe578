package redis

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := store.CheckApply(partition, ops); err != nil {
		return err
	}
	bounded, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if len(ops) == 0 {
		return nil
	}
	err = s.wrapFault(ctx, "apply", s.apply(bounded, partition, ops))
	if !errors.Is(err, store.ErrConflict) {
		// A fault may be a change that was made and not answered.
		s.hub.Changed(partition, ops)
	}
	return err
}

// apply is one script for records and hints. In a Cluster hints are in slots of
// their own: they go before.
func (s *Store) apply(ctx context.Context, partition string, ops []store.Op) error {
	hints := s.hints(partition, ops)
	if s.config.Cluster {
		for _, h := range hints {
			if _, err := s.runApply(ctx, "", nil, []hint{h}); err != nil {
				return err
			}
		}
		hints = nil
	}
	done, err := s.runApply(ctx, partition, ops, hints)
	if err == nil && done == 0 {
		return store.ErrConflict
	}
	return err
}

func (s *Store) runApply(ctx context.Context, partition string, ops []store.Op, hints []hint) (int64, error) {
	keys := make([]string, 0, len(ops)+len(hints))
	args := make([]any, 0, 4+4*len(ops)+2*len(hints))
	args = append(args, len(ops), s.names.changes(), announcement(partition, ops), s.config.Now().UnixMilli())
	for i := range ops {
		op := &ops[i]
		how := "v"
		if op.Blind {
			how = "b"
		}
		keys = append(keys, s.names.record(partition, op.Key))
		args = append(args, how, expected(op), encodeRow(op), store.Millis(op.End()))
	}
	for _, h := range hints {
		keys = append(keys, s.names.tag(h.tag))
		args = append(args, h.member, h.end)
	}
	return s.run(ctx, applyScript, keys, args...)
}

// A hint is a tag's memory of a record. end is until when the tag must keep it,
// in milliseconds, 0: for ever.
type hint struct {
	tag, member string
	end         int64
}

// hintSlack is how much longer a tag is kept than the records in it, by whichever
// clock.
const hintSlack = time.Minute

func (s *Store) hints(partition string, ops []store.Op) []hint {
	var hints []hint
	for i := range ops {
		op := &ops[i]
		if op.Value == nil {
			continue
		}
		var end int64
		if !op.ExpiresAt.IsZero() {
			end = store.Millis(op.ExpiresAt.Add(hintSlack))
		}
		m := hintMember(store.Ref{Partition: partition, Key: op.Key})
		for _, tag := range slices.Compact(slices.Sorted(slices.Values(op.Tags))) {
			hints = append(hints, hint{tag: tag, member: m, end: end})
		}
	}
	return hints
}
