package redis_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

func BenchmarkGet(b *testing.B) {
	s := open(b, fresh(redistest.Start(b).Addr))
	apply(b, s, op("a", strings.Repeat("x", 600), 0))
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Get(ctx, partition, "a"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	s := open(b, fresh(redistest.Start(b).Addr))
	value, end := strings.Repeat("x", 600), time.Now().Add(time.Hour)
	ctx := b.Context()
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			name := fmt.Sprintf("s:%d", n.Add(1))
			o := op("session", value, 0)
			o.ExpiresAt, o.Tags = end, []string{"m:" + name}
			if err := s.Apply(ctx, name, o); err != nil {
				b.Error(err)
			}
		}
	})
}
