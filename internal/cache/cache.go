// Package cache is the one bounded cache of the gateway: it holds what was decoded,
// verified or minted, and forgets what is used least when it is full.
package cache

import (
	"hash/maphash"

	lru "github.com/hashicorp/golang-lru/v2"
)

// shardEntries is how many entries are worth a lock of their own.
const shardEntries = 1024

// maxShards bounds the locks of one cache.
const maxShards = 16

// Cache maps keys to values, at most as many as New was told. It is safe for
// concurrent use. A nil Cache keeps nothing.
//
// What is used once does not push out what is used again (2Q, Johnson and Shasha
// 1994): a flood of tokens that are each shown once leaves live sessions where they
// are.
type Cache[K comparable, V any] struct {
	seed   maphash.Seed
	shards []*lru.TwoQueueCache[K, V]
}

// New makes a cache of so many entries; none or fewer is a cache that keeps nothing.
func New[K comparable, V any](entries int) *Cache[K, V] {
	if entries <= 0 {
		return nil
	}
	n := min(max(entries/shardEntries, 1), maxShards)
	c := &Cache[K, V]{seed: maphash.MakeSeed(), shards: make([]*lru.TwoQueueCache[K, V], n)}
	for i := range c.shards {
		c.shards[i], _ = lru.New2Q[K, V](max(entries/n, minShard)) // fails for a size of 1 or less only
	}
	return c
}

// minShard is the least size for which each of the two queues holds something.
const minShard = 8

// Get answers the value under k.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	if c == nil {
		var none V
		return none, false
	}
	return c.shard(k).Get(k)
}

// Set keeps v under k.
func (c *Cache[K, V]) Set(k K, v V) {
	if c != nil {
		c.shard(k).Add(k, v)
	}
}

// Delete forgets k.
func (c *Cache[K, V]) Delete(k K) {
	if c != nil {
		c.shard(k).Remove(k)
	}
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	if c == nil {
		return
	}
	for _, s := range c.shards {
		s.Purge()
	}
}

// Len is how many values are held.
func (c *Cache[K, V]) Len() int {
	if c == nil {
		return 0
	}
	n := 0
	for _, s := range c.shards {
		n += s.Len()
	}
	return n
}

func (c *Cache[K, V]) shard(k K) *lru.TwoQueueCache[K, V] {
	if len(c.shards) == 1 {
		return c.shards[0]
	}
	return c.shards[maphash.Comparable(c.seed, k)%uint64(len(c.shards))]
}
