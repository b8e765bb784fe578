package mint_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/session/mint"
)

// benchMint is one injected JWT with a factor, a role and a claim.
func benchMint(b *testing.B, alg string) {
	f := newFleet(b)
	m := f.minter(f.open(mint.RingConfig{Algorithm: alg}), mint.Config{})
	r := injected(f)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Mint(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMintES256(b *testing.B) { benchMint(b, "ES256") }

func BenchmarkMintEdDSA(b *testing.B) { benchMint(b, "EdDSA") }

func BenchmarkMintCompat(b *testing.B) {
	f := newFleet(b)
	m := f.minter(f.rsa(), mint.Config{Compat: true})
	r := f.request()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Mint(r); err != nil {
			b.Fatal(err)
		}
	}
}

func benchVerify(b *testing.B, alg string) {
	f := newFleet(b)
	m := f.minter(f.open(mint.RingConfig{Algorithm: alg}), mint.Config{})
	text := f.mint(m, f.request()).Text
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Verify(ctx, text, mint.VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyES256(b *testing.B) { benchVerify(b, "ES256") }

func BenchmarkVerifyEdDSA(b *testing.B) { benchVerify(b, "EdDSA") }

// BenchmarkVerifyGarbage is a JWT with our issuer, and a key nobody knows.
func BenchmarkVerifyGarbage(b *testing.B) {
	f := newFleet(b)
	m, _ := f.node()
	text := f.signed(newFleet(b).open(mint.RingConfig{}), f.good())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Verify(ctx, text, mint.VerifyOptions{}); err == nil {
			b.Fatal("taken")
		}
	}
}
