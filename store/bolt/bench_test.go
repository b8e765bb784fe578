package bolt_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/bolt"
)

// BenchmarkCreate has 32 writers, each acknowledged record durable.
func BenchmarkCreate(b *testing.B) {
	s, err := bolt.Open(filepath.Join(b.TempDir(), "sessions.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	value, end := strings.Repeat("x", 600), time.Now().Add(time.Hour)
	ctx := b.Context()
	var n atomic.Int64
	b.SetParallelism(16)
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
