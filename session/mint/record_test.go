package mint_test

import (
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
)

// The ring that an earlier release wrote is read as it was meant. Its keys are
// for this test alone.
func TestFixtureOfFormat1(t *testing.T) {
	body, err := os.ReadFile("testdata/ring.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t)
	published := time.UnixMilli(1795302089464)
	f.clock.Advance(published.Add(time.Minute).Sub(f.clock.Now()))
	f.apply(store.Op{Key: "signing", Value: append([]byte{mint.Format}, body...)})
	r := f.open(mint.RingConfig{Algorithm: "EdDSA"})
	want := map[string]string{
		"c2AXBn9SlhjatNNwkFfcLDGUUqM1r1A1fBCLFKiB61Y": "retired",
		"PqPBD0ED0uWRKqwnbVSnz0sllju2B1TUfM9n9f-TYBg": "active",
		"5FBBm6evSCjWIn-8W9MNSekLgDo35jF45cx2uEXOsgs": "next",
	}
	if got := states(r); !reflect.DeepEqual(got, want) {
		t.Errorf("keys are %v", got)
	}
	if denied := fmt.Sprint(r.Status().Denied); denied != "[Ph3FXXzy6YdmKeXaPDeQPaYHiU-95MxCtBHzS7fvLY0]" {
		t.Errorf("denied are %s", denied)
	}
	f.open(mint.RingConfig{Algorithm: "EdDSA"})
	if n := f.store.writes.Load(); n != 1 { // the wish for the algorithm
		t.Errorf("%d writes", n)
	}
	for _, k := range r.Status().Keys {
		if k.Algorithm != jose.EdDSA || k.State == "next" && !k.PublishedAt.Equal(published) {
			t.Errorf("key is %+v", k)
		}
	}
}

// FuzzRing: whatever stands in the store, opening it does not panic, and a ring
// that opens has one key that signs.
func FuzzRing(f *testing.F) {
	body, err := os.ReadFile("testdata/ring.v1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		fl := newFleet(t)
		fl.apply(store.Op{Key: "signing", Value: append([]byte{mint.Format}, body...)})
		r, err := mint.OpenRing(ctx, mint.RingConfig{Store: fl.store, Now: fl.clock.Now, Algorithm: "EdDSA"})
		if err != nil {
			return
		}
		if len(inState(r, "active")) != 1 {
			t.Errorf("keys are %v", states(r))
		}
		published(t, r.JWKS())
	})
}
