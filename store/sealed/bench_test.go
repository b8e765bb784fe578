package sealed_test

import (
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/sealed"
)

func BenchmarkGet(b *testing.B) {
	s := benchStore(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(ctx, "p", "a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	s := benchStore(b)
	ctx := b.Context()
	b.ReportAllocs()
	for v := uint64(1); b.Loop(); v++ {
		if err := s.Apply(ctx, "p", op("a", string(make([]byte, 600)), v)); err != nil {
			b.Fatal(err)
		}
	}
}

func benchStore(b *testing.B) *sealed.Store {
	inner := memory.New(time.Now)
	s, err := sealed.New(inner, [][]byte{secretOne}, sealed.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Apply(b.Context(), "p", op("a", string(make([]byte, 600)), 0)); err != nil {
		b.Fatal(err)
	}
	return s
}
