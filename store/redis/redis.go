package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.Watcher      = (*Store)(nil)
	_ store.Rewriter     = (*Store)(nil)
	_ store.Connectivity = (*Store)(nil)
	_ store.Clock        = (*Store)(nil)
)

// Store is a store.Store and store.Watcher in Redis. Make it with New.
type Store struct {
	config Config
	names  names
	client goredis.UniversalClient
	hub    *hub.Hub

	// probes are the goroutines that ask dead servers whether they are back; life
	// ends them.
	life   context.Context
	end    context.CancelFunc
	probes sync.WaitGroup

	mu       sync.Mutex
	breakers map[*breaker]struct{} // of servers that are being asked whether they answer
	links    map[*link]struct{}    // of the Watches
}

// New makes a store. It connects to nothing yet; Check does. The error is a
// *ConfigError.
func New(config Config) (*Store, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	s := &Store{
		config:   config,
		names:    names{config.Prefix},
		hub:      hub.New(),
		breakers: map[*breaker]struct{}{},
		links:    map[*link]struct{}{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	client, err := newClient(config, s.addBreaker)
	if err != nil {
		s.end()
		return nil, err
	}
	s.client = client
	return s, nil
}

// Close closes all connections and ends every Watch. Later calls are an
// ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.isClosed()
	s.end()
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.hub.Close()
	err := s.client.Close()
	s.probes.Wait()
	return err
}

func (s *Store) isClosed() bool { return s.life.Err() != nil }

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if err := store.CheckKeys(partition, keys...); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, s.checkUsable(ctx)
	}
	rows, err := s.readRows(ctx, partition, keys)
	if err != nil {
		return nil, s.wrapFault(ctx, "get", err)
	}
	records := make([]store.Record, len(keys))
	for i, key := range keys {
		records[i] = store.Record{Key: key}
		row, ok := rows[i].(string)
		if !ok {
			continue
		}
		if records[i], err = decodeRow(key, row); err != nil {
			return nil, &Error{Kind: Malformed, Op: "get", Err: err}
		}
	}
	return records, nil
}

// readRows is one MGET, which a server answers from one moment.
func (s *Store) readRows(ctx context.Context, partition string, keys []string) ([]any, error) {
	ctx, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	args := make([]string, len(keys))
	for i, key := range keys {
		args[i] = s.names.record(partition, key)
	}
	for wait := time.Millisecond; ; wait *= 2 {
		rows, err := s.client.MGet(ctx, args...).Result()
		if !s.slotMoving(err) || !sleep(ctx, wait) {
			return rows, err
		}
	}
}

// Touch implements store.Store.
func (s *Store) Touch(ctx context.Context, partition, key string, until time.Time) error {
	if err := store.CheckKeys(partition, key); err != nil {
		return err
	}
	bounded, cancel, err := s.withTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	keys := []string{s.names.record(partition, key)}
	_, err = s.run(bounded, touchScript, keys, store.Millis(until))
	return s.wrapFault(ctx, "touch", err)
}

// withTimeout bounds a call by Config.Timeout.
func (s *Store) withTimeout(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := s.checkUsable(ctx); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	return ctx, cancel, nil
}

func (s *Store) checkUsable(ctx context.Context) error {
	if s.isClosed() {
		return store.ErrClosed
	}
	return ctx.Err()
}
