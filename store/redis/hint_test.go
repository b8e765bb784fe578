package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/storetest"
)

func tagged(key string, expect uint64, end time.Time) store.Op {
	o := op(key, "x", expect)
	o.ExpiresAt, o.Tags = end, []string{"m:one"}
	return o
}

// What a tag remembers of records that are gone is taken out, but not while a
// record may still be on its way.
func TestHintsTidyThemselves(t *testing.T) {
	for name, addresses := range map[string]func(*testing.T) ([]string, bool, *redistest.Server){
		"one server": func(t *testing.T) ([]string, bool, *redistest.Server) {
			s := redistest.Start(t)
			return []string{s.Addr}, false, s
		},
		"cluster": func(t *testing.T) ([]string, bool, *redistest.Server) {
			c := redistest.StartCluster(t, 3, 0)
			return c.Addresses(), true, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := storetest.NewClock()
			list, cluster, _ := addresses(t)
			config := fresh(list...)
			config.Cluster, config.Now = cluster, clock.Now
			s := open(t, config)
			end := clock.In(24 * time.Hour)
			for i := range 100 {
				apply(t, s, tagged(fmt.Sprintf("k%d", i), 0, end))
			}
			for i := range 90 {
				apply(t, s, store.Op{Key: fmt.Sprintf("k%d", i), Expect: 1})
			}
			wantListed(t, s, 100) // a hint, as fresh as one whose record is on its way
			clock.Advance(9 * time.Minute)
			wantListed(t, s, 100)
			clock.Advance(2 * time.Minute)
			apply(t, s, tagged("k0", 0, end)) // written again meanwhile: fresh
			wantListed(t, s, 100-64)          // so many are looked at by one List
			wantListed(t, s, 11)
			wantListed(t, s, 11)
		})
	}
}

func wantListed(t *testing.T, s store.Store, want int) {
	t.Helper()
	refs, err := s.List(t.Context(), "m:one")
	if err != nil || len(refs) != want {
		t.Errorf("%d are listed, %v; want %d", len(refs), err, want)
	}
}

// A hint that is written while it is being taken out stays.
func TestHintWrittenMeanwhileStays(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	clock := storetest.NewClock()
	config.Now = clock.Now
	s := open(t, config)
	apply(t, s, tagged("a", 0, time.Time{}))
	tag := config.Prefix + "t:{m:one}"
	score := server.CLI("zscore", tag, partition+" a")
	clock.Advance(time.Second)
	apply(t, s, tagged("a", 1, time.Time{}))
	// A List that read the old score now comes to take it out.
	server.CLI("--eval", "scripts/tidy.lua", tag, ",", "0", partition+" a", score, "0")
	wantListed(t, s, 1)
	server.CLI("--eval", "scripts/tidy.lua", tag, ",", "0", partition+" a", server.CLI("zscore", tag, partition+" a"), "0")
	wantListed(t, s, 0)
}

// A tag is kept as long as its longest record, and no tag for ever unless a record
// is.
func TestTagsEndWithTheirRecords(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	s := open(t, config)
	left := func() time.Duration {
		var ms int64
		fmt.Sscan(server.CLI("pttl", config.Prefix+"t:{m:one}"), &ms)
		return time.Duration(ms) * time.Millisecond
	}
	near := func(want time.Duration) {
		t.Helper()
		if got := left(); got < want || got > want+2*time.Minute {
			t.Errorf("the tag has %v left, want %v and a little", got, want)
		}
	}
	now := time.Now()
	apply(t, s, tagged("a", 0, now.Add(time.Hour)))
	near(time.Hour)
	apply(t, s, tagged("b", 0, now.Add(5*time.Hour)))
	near(5 * time.Hour)
	apply(t, s, tagged("c", 0, now.Add(time.Minute)))
	near(5 * time.Hour)
	apply(t, s, tagged("d", 0, time.Time{}))
	apply(t, s, tagged("e", 0, now.Add(time.Hour)))
	if got := left(); got != -time.Millisecond {
		t.Errorf("the tag has %v left, want no end", got)
	}
}

// F27, the store's part of it: of a thousand who create one record one does, with
// one script each, and all are answered.
func TestThousandCreators(t *testing.T) {
	server := redistest.Start(t)
	config := hurried(server.Addr)
	config.Timeout = 5 * time.Second
	s := open(t, config)
	apply(t, s, op("warm", "1", 0))
	calls := func() (n int) {
		line := server.CLI("info", "commandstats")
		if _, after, ok := strings.Cut(line, "cmdstat_evalsha:calls="); ok {
			fmt.Sscanf(after, "%d", &n)
		}
		return n
	}
	before := calls()
	results := make(chan error, 1000)
	for i := range 1000 {
		go func() {
			results <- s.Apply(t.Context(), partition, tagged("session", 0, time.Now().Add(time.Hour)), op("index", fmt.Sprint(i), 0))
		}()
	}
	good := 0
	for range 1000 {
		switch err := <-results; err {
		case nil:
			good++
		case store.ErrConflict:
		default:
			t.Error(err)
		}
	}
	if n := calls() - before; good != 1 || n != 1000 {
		t.Errorf("%d of 1000 created it, with %d scripts", good, n)
	}
	wantListed(t, s, 1)
}
