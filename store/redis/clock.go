package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// ClockSkew implements store.Clock by TIME: of the server, or of each master of a
// Cluster. A user that may not use it gets an error.
func (s *Store) ClockSkew(ctx context.Context) (time.Duration, error) {
	bounded, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	var mu sync.Mutex
	var farthest time.Duration
	err = s.eachMaster(bounded, func(ctx context.Context, client *goredis.Client) error {
		skew, _, err := clockSkew(ctx, client)
		mu.Lock()
		defer mu.Unlock()
		if skew.Abs() > farthest.Abs() {
			farthest = skew
		}
		return err
	})
	return farthest, s.wrapFault(ctx, "time", err)
}

// clockSkew is how far a server's clock is ahead of ours, and within how much that is
// true: the answer took a while to come.
func clockSkew(ctx context.Context, client *goredis.Client) (skew, within time.Duration, err error) {
	before := time.Now()
	theirs, err := client.Time(ctx).Result()
	if err != nil {
		return 0, 0, err
	}
	within = time.Since(before) / 2
	return theirs.Sub(before.Add(within)), within, nil
}
