package session_test

import (
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

// BenchmarkByToken is a read from the store: the path without a local cache.
func BenchmarkByToken(b *testing.B) {
	f := newFleet(b)
	token := f.token(f.start(time.Hour, 10*time.Minute))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.a.ByToken(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck is what a cached session costs on every request.
func BenchmarkCheck(b *testing.B) {
	f := newFleet(b)
	s := f.start(time.Hour, 10*time.Minute)
	f.churn(f.a, 1000)
	text := f.token(s).Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if token, err := session.ParseToken(text); err != nil || !s.Holds(token, f.clock.Now()) || f.a.Check(s) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImplicitID(b *testing.B) {
	f := newFleet(b)
	r := f.trusted("x")
	b.ReportAllocs()
	for b.Loop() {
		f.a.ImplicitID(r)
	}
}

func BenchmarkStart(b *testing.B) {
	f := newFleet(b)
	start := session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: f.proof("github", "t")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.a.Start(ctx, start); err != nil {
			b.Fatal(err)
		}
	}
}
