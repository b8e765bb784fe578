package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// epochEvery is how often a link compares the epochs, epochSilence after how long
	// without an answer it is not connected.
	epochEvery   = time.Second
	epochSilence = 5 * time.Second
	// epochTries bounds the search for names that lie on every primary.
	epochTries = 10_000
)

// An epoch is a random text under one key of each primary, made by whoever finds
// none. FLUSHALL, a restore and a server that was put in the place of another send
// no message; but the epoch is gone, or another, and then so may be anything.

// epochKeys are keys of which each primary has one.
func (l *link) epochKeys(ctx context.Context, primaries []goredis.Cmdable) ([]string, error) {
	cluster, ok := l.store.client.(*goredis.ClusterClient)
	if !ok {
		return []string{l.store.names.epoch("0")}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(dialTimeout, l.store.config.Timeout))
	defer cancel()
	missing := addressesOf(primaries)
	var keys []string
	for i := 0; len(missing) > 0 && i < epochTries; i++ {
		key := l.store.names.epoch(strconv.Itoa(i))
		primary, err := cluster.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		if missing[primary.Options().Addr] {
			delete(missing, primary.Options().Addr)
			keys = append(keys, key)
		}
	}
	if len(missing) > 0 {
		return nil, errNoPrimaries
	}
	return keys, nil
}

// addressesOf names servers of a Cluster; there are none to name outside of one.
func addressesOf(servers []goredis.Cmdable) map[string]bool {
	addresses := map[string]bool{}
	for _, server := range servers {
		if client, ok := server.(*goredis.Client); ok {
			addresses[client.Options().Addr] = true
		}
	}
	return addresses
}

// checkEpochs compares again and again, flushes where an epoch has changed, and ends
// the connection where none can be compared, or other servers are the primaries.
func (l *link) checkEpochs(ctx context.Context, end func(), keys []string, primaries []goredis.Cmdable) {
	defer end()
	for last := time.Now(); time.Since(last) < epochSilence; {
		began := time.Now()
		changed, err := l.compareEpochs(ctx, keys)
		if err == nil && changed {
			l.watcher.Flush()
		}
		if err == nil {
			last = began
			l.noteEpochs(began)
		}
		if !sleep(ctx, epochEvery) || !l.samePrimaries(ctx, primaries) {
			return
		}
	}
}

func (l *link) noteEpochs(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.compared = at
}

// samePrimaries reports whether the Cluster's primaries are still those. Not knowing is
// no change.
func (l *link) samePrimaries(ctx context.Context, primaries []goredis.Cmdable) bool {
	now, err := l.store.primaries(ctx)
	if err != nil {
		return true
	}
	before, missing := addressesOf(primaries), 0
	for address := range addressesOf(now) {
		if !before[address] {
			missing++
		}
	}
	return missing == 0 && len(now) == len(primaries)
}

// compareEpochs reports whether one is another than it was.
func (l *link) compareEpochs(ctx context.Context, keys []string) (changed bool, err error) {
	for _, key := range keys {
		epoch, err := l.store.epoch(ctx, key)
		if err != nil {
			return false, err
		}
		before, known := l.epochs[key]
		changed = changed || known && before != epoch
		l.epochs[key] = epoch
	}
	return changed, nil
}

// epoch reads an epoch, or makes it.
func (s *Store) epoch(ctx context.Context, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for range 2 {
		values, err := s.client.MGet(ctx, key).Result()
		if err != nil {
			return "", err
		}
		if epoch, ok := values[0].(string); ok {
			return epoch, nil
		}
		if err := s.client.SetNX(ctx, key, rand.Text(), 0).Err(); err != nil {
			return "", err
		}
	}
	return "", errNoEpoch
}

var errNoEpoch = errors.New("the epoch is gone as soon as it is written")
