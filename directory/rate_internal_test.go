package directory

import (
	"fmt"
	"testing"
	"time"
)

// Whoever makes up organizations must not fill the memory with their shares, and
// shares that nobody asks for go.
func TestAttackMadeUpOrganizationsGrowTheRates(t *testing.T) {
	r, key, now := NewRates(), rateKey{"member", "okta"}, time.Unix(1_800_000_000, 0)
	for n := range 3 * maxShares {
		if err := r.allow(key, 1_000_000, fmt.Sprint("tenant-", n), now); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.buckets[key].shares); n > maxShares+1 {
		t.Errorf("%d shares", n)
	}
	if err := r.allow(key, 1_000_000, "tenant", now.Add(askingFor)); err != nil || len(r.buckets[key].shares) != 1 {
		t.Errorf("%d shares after an hour, %v", len(r.buckets[key].shares), err)
	}
}
