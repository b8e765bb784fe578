package cache_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/internal/cache"
)

func TestCacheKeepsAndForgets(t *testing.T) {
	c := cache.New[string, int](100)
	c.Set("a", 1)
	if v, ok := c.Get("a"); !ok || v != 1 {
		t.Errorf("got %d %v", v, ok)
	}
	c.Delete("a")
	if _, ok := c.Get("a"); ok {
		t.Error("a deleted entry was found")
	}
	c.Set("b", 2)
	c.Clear()
	if _, ok := c.Get("b"); ok {
		t.Error("an entry survived Clear")
	}
}

func TestCacheWithoutEntriesKeepsNothing(t *testing.T) {
	for _, entries := range []int{0, -1} {
		c := cache.New[string, int](entries)
		c.Set("a", 1)
		c.Delete("b")
		c.Clear()
		if _, ok := c.Get("a"); ok {
			t.Errorf("%d entries: something was kept", entries)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	for _, entries := range []int{1, 50, 20_000} {
		c := cache.New[int, int](entries)
		held := 0
		for i := range 4*entries + 100 {
			c.Set(i, i)
		}
		for i := range 4*entries + 100 {
			if _, ok := c.Get(i); ok {
				held++
			}
		}
		if most := max(entries, 8); held > most {
			t.Errorf("%d entries: %d held", entries, held)
		}
	}
}

// A flood of tokens that are shown once must not log out, or slow down, those whose
// sessions are in use.
func TestCacheFloodOfNewKeysKeepsThoseInUse(t *testing.T) {
	c := cache.New[string, int](10_000)
	for round := range 3 {
		for i := range 1000 {
			k := fmt.Sprint("used ", i)
			if _, ok := c.Get(k); !ok && round < 2 {
				c.Set(k, i)
			} else if !ok {
				t.Fatalf("%s is gone", k)
			}
		}
		for i := range 100_000 {
			if round > 0 {
				c.Set(fmt.Sprint("flood ", round, i), i)
			}
		}
	}
}

func TestCacheConcurrently(t *testing.T) {
	c := cache.New[int, int](2_000)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10_000 {
				k := (i*7 + w) % 4_000
				if v, ok := c.Get(k); ok && v != k {
					t.Errorf("%d under %d", v, k)
				}
				c.Set(k, k)
				if i%100 == 0 {
					c.Delete(k)
				}
			}
		})
	}
	wg.Wait()
}
