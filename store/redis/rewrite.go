package redis

import (
	"context"
	"errors"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
)

// scanPerCall is about how many keys the server looks at for one answer to Scan:
// well under a millisecond, in which it serves nobody else.
const scanPerCall = 512

// Scan implements store.Rewriter, with one SCAN after another on every primary. It
// may miss what a Cluster moves from one to another meanwhile, and what a failover
// brings back: who needs all of it scans until nothing new is found.
func (s *Store) Scan(ctx context.Context, fn func(store.Ref) error) error {
	primaries, err := s.primaries(ctx)
	if err != nil {
		return s.wrapFault(ctx, "scan", err)
	}
	for _, primary := range primaries {
		if err := s.scan(ctx, primary, fn); err != nil {
			return err
		}
	}
	return nil
}

// primaries are the servers that hold records between them.
func (s *Store) primaries(ctx context.Context) ([]goredis.Cmdable, error) {
	ctx, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	cluster, ok := s.client.(*goredis.ClusterClient)
	if !ok {
		return []goredis.Cmdable{s.client}, nil
	}
	var mu sync.Mutex
	var list []goredis.Cmdable
	err = cluster.ForEachMaster(ctx, func(_ context.Context, primary *goredis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, primary)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = errNoPrimaries
	}
	return list, err
}

var errNoPrimaries = errors.New("the Cluster names no server that has records")

func (s *Store) scan(ctx context.Context, primary goredis.Cmdable, fn func(store.Ref) error) error {
	for cursor := uint64(0); ; {
		keys, next, err := s.scanOnce(ctx, primary, cursor)
		if err != nil {
			return s.wrapFault(ctx, "scan", err)
		}
		for _, key := range keys {
			if ref, ok := s.names.parseRecord(key); ok {
				if err := fn(ref); err != nil {
					return err
				}
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

func (s *Store) scanOnce(ctx context.Context, primary goredis.Cmdable, cursor uint64) ([]string, uint64, error) {
	ctx, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer cancel()
	return primary.Scan(ctx, cursor, s.names.records(), scanPerCall).Result()
}

// Rewrite implements store.Rewriter.
func (s *Store) Rewrite(ctx context.Context, ref store.Ref, old, new []byte) error {
	if err := store.CheckRewrite(ref, old, new); err != nil {
		return err
	}
	bounded, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	done, err := s.run(bounded, rewriteScript, []string{s.names.record(ref.Partition, ref.Key)}, old, new)
	if err == nil && done == 0 {
		return store.ErrConflict
	}
	return s.wrapFault(ctx, "rewrite", err)
}
