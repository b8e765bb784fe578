package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
)

const (
	// hintGrace is how long a hint is not checked: far longer than the Apply that wrote
	// it can take to write the record too.
	hintGrace = 10 * time.Minute
	// tidyPerList is how many old hints one List checks.
	tidyPerList = 64
)

// List implements store.Store. It may name records that are gone, and takes some
// of those out.
func (s *Store) List(ctx context.Context, tag string) ([]store.Ref, error) {
	if err := store.CheckName(tag); err != nil {
		return nil, err
	}
	bounded, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	hints, err := s.client.ZRangeWithScores(bounded, s.names.tag(tag), 0, -1).Result()
	if err != nil {
		return nil, s.wrapFault(ctx, "list", err)
	}
	gone := s.tidyHints(bounded, tag, s.oldHints(hints))
	refs := make([]store.Ref, 0, len(hints))
	for _, h := range hints {
		name, _ := h.Member.(string)
		if ref, ok := parseHintMember(name); ok && !gone[name] {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// oldHints are the hints that were last known to be true longest ago; they come first.
func (s *Store) oldHints(hints []goredis.Z) []goredis.Z {
	before := float64(s.config.Now().Add(-hintGrace).UnixMilli())
	n := 0
	for n < len(hints) && n < tidyPerList && hints[n].Score < before {
		n++
	}
	return hints[:n]
}

// tidyHints looks which of the hints are still true, notes that of those, takes the
// others out, and returns the latter. A fault is not reported: hints may be
// wrong.
func (s *Store) tidyHints(ctx context.Context, tag string, hints []goredis.Z) map[string]bool {
	if len(hints) == 0 {
		return nil
	}
	pipe := s.client.Pipeline()
	found := make([]*goredis.IntCmd, len(hints))
	for i, h := range hints {
		name, _ := h.Member.(string)
		ref, _ := parseHintMember(name)
		found[i] = pipe.Exists(ctx, s.names.record(ref.Partition, ref.Key))
	}
	_, _ = pipe.Exec(ctx)
	gone := map[string]bool{}
	args := []any{s.config.Now().UnixMilli()}
	for i, h := range hints {
		n, err := found[i].Result()
		if err != nil {
			continue
		}
		name, _ := h.Member.(string)
		gone[name] = n == 0
		args = append(args, name, int64(h.Score), n)
	}
	_, _ = s.run(ctx, tidyScript, []string{s.names.tag(tag)}, args...)
	return gone
}
