package sealed_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/sealed"
	"github.com/attestgate/caddy-attest/store/storetest"
)

var (
	secretOne = []byte("the first secret, thirty-two bytes")
	secretTwo = []byte("another secret of thirty-two bytes")
)

// owner is a sealed store that closes what it wraps, as the suite wants it.
type owner struct {
	*sealed.Store
	io.Closer
}

type backend interface {
	store.Store
	io.Closer
}

func seal(t *testing.T, inner backend, opts sealed.Options, secrets ...[]byte) owner {
	t.Helper()
	if len(secrets) == 0 {
		secrets = [][]byte{secretOne}
	}
	s, err := sealed.New(inner, secrets, opts)
	if err != nil {
		t.Fatal(err)
	}
	return owner{s, inner}
}

func TestStoreOverMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		return seal(t, memory.New(clock.Now), sealed.Options{Now: clock.Now})
	})
}

func TestStoreOverBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		inner, err := bolt.Open(filepath.Join(t.TempDir(), "sessions.db"), bolt.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return seal(t, inner, sealed.Options{Now: clock.Now})
	})
}

// forgetful is a store whose records never expire by themselves: its clock
// stands still, so only the end sealed inside ends them.
func TestStoreOverOneThatForgetsToExpire(t *testing.T) {
	clock := storetest.NewClock()
	still := clock.Now()
	inner := memory.New(func() time.Time { return still })
	s := seal(t, inner, sealed.Options{Now: clock.Now})
	defer s.Close()
	o := op("a", "mortal", 0)
	o.ExpiresAt = clock.In(time.Minute)
	apply(t, s, o)
	clock.Advance(time.Minute - time.Millisecond)
	if r := get(t, s, "a"); string(r.Value) != "mortal" || !r.ExpiresAt.Equal(o.ExpiresAt) {
		t.Errorf("before its end it is %q until %v", r.Value, r.ExpiresAt)
	}
	clock.Advance(time.Millisecond)
	if r := get(t, s, "a"); r.Exists() || r.Version != 0 || !r.ExpiresAt.IsZero() {
		t.Errorf("after its end it is %+v", r)
	}
	apply(t, s, op("a", "new", 0), op("b", "beside", 0))
	if r := get(t, s, "a"); string(r.Value) != "new" || r.Version != 1 {
		t.Errorf("created anew it is %q version %d", r.Value, r.Version)
	}
	if err := s.Apply(t.Context(), "p", op("b", "x", 0)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a record that lives is created over: %v", err)
	}
}

func op(key, value string, expect uint64) store.Op {
	return store.Op{Key: key, Value: []byte(value), Expect: expect}
}

func apply(t *testing.T, s store.Store, ops ...store.Op) {
	t.Helper()
	if err := s.Apply(t.Context(), "p", ops...); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s store.Store, key string) store.Record {
	t.Helper()
	records, err := s.Get(t.Context(), "p", key)
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

func TestNothingIsReadable(t *testing.T) {
	inner := memory.New(nil)
	s := seal(t, inner, sealed.Options{})
	defer s.Close()
	apply(t, s, op("a", "a value that nobody must read", 0))
	stored := get(t, inner, "a").Value
	for _, hidden := range []string{"value", "nobody", string(secretOne[:8])} {
		if bytes.Contains(stored, []byte(hidden)) {
			t.Errorf("the inner store holds %q", hidden)
		}
	}
	if n := len(stored) - len("a value that nobody must read"); n != sealed.Overhead {
		t.Errorf("sealing adds %d bytes, want %d", n, sealed.Overhead)
	}
}

// The same record sealed twice shows nothing in common but its head.
func TestNoncesDiffer(t *testing.T) {
	inner := memory.New(nil)
	s := seal(t, inner, sealed.Options{})
	defer s.Close()
	seen := map[string]bool{}
	for v := range uint64(100) {
		apply(t, s, op("a", "the same", v))
		nonce := string(get(t, inner, "a").Value[9:21])
		if seen[nonce] {
			t.Fatalf("nonce %x stands twice", nonce)
		}
		seen[nonce] = true
	}
}

func TestNewRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		secrets [][]byte
		text    string
	}{
		"no secret":      {nil, "sealed: secret: none is given"},
		"a short one":    {[][]byte{secretOne[:31]}, "sealed: secret: number 1 has 31 bytes, want at least 32"},
		"a short second": {[][]byte{secretOne, []byte("hunter2")}, "sealed: secret: number 2 has 7 bytes, want at least 32"},
		"an empty one":   {[][]byte{{}}, "sealed: secret: number 1 has 0 bytes, want at least 32"},
	} {
		_, err := sealed.New(memory.New(nil), row.secrets, sealed.Options{})
		if err == nil || err.Error() != row.text {
			t.Errorf("%s: %v, want %q", name, err, row.text)
		}
		var mistake *sealed.ConfigError
		if !errors.As(err, &mistake) || mistake.Option != "secret" {
			t.Errorf("%s: %v is no *ConfigError", name, err)
		}
	}
}

// Rotation: the new secret seals, the old one opens, nobody is logged out, and
// once everything is rewritten the old one can go.
func TestSecretIsRotated(t *testing.T) {
	inner := memory.New(nil)
	defer inner.Close()
	before := seal(t, inner, sealed.Options{})
	apply(t, before, op("old", "1", 0), op("kept", "1", 0))

	both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
	for _, key := range []string{"old", "kept"} {
		if r := get(t, both, key); string(r.Value) != "1" {
			t.Errorf("%s is %q under the new secret and the old", key, r.Value)
		}
	}
	apply(t, both, op("old", "2", 1))

	after := seal(t, inner, sealed.Options{}, secretTwo)
	if r := get(t, after, "old"); string(r.Value) != "2" {
		t.Errorf("rewritten, it is %q under the new secret", r.Value)
	}
	wantBroken(t, after, "kept", "unknown secret")
	// A node that does not have the new secret yet must not take it for absent.
	wantBroken(t, before, "old", "unknown secret")
}

func wantBroken(t *testing.T, s store.Store, key, reason string) {
	t.Helper()
	records, err := s.Get(t.Context(), "p", key)
	var broken *sealed.Error
	if !errors.Is(err, sealed.ErrBroken) || !errors.As(err, &broken) {
		t.Fatalf("%s opens: %v, %v", key, records, err)
	}
	if broken.Partition != "p" || broken.Key != key || broken.Reason != reason || records != nil {
		t.Errorf("%s: %+v with %v, want reason %q and no records", key, broken, records, reason)
	}
}

func TestWithoutRandomnessNothingIsWritten(t *testing.T) {
	inner := memory.New(nil)
	s := seal(t, inner, sealed.Options{Rand: iotest.ErrReader(errors.New("no entropy"))})
	defer s.Close()
	err := s.Apply(t.Context(), "p", op("a", "1", 0))
	if err == nil || !strings.Contains(err.Error(), "no entropy") {
		t.Errorf("Apply: %v", err)
	}
	if r := get(t, inner, "a"); r.Exists() {
		t.Error("written all the same")
	}
}

func TestLargestValue(t *testing.T) {
	s := seal(t, memory.New(nil), sealed.Options{})
	defer s.Close()
	apply(t, s, op("a", strings.Repeat("v", sealed.MaxValue), 0))
	err := s.Apply(t.Context(), "p", op("a", strings.Repeat("v", sealed.MaxValue+1), 1))
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, store.ErrTooLarge)
	}
}

func TestWatchOfAStoreThatCannot(t *testing.T) {
	type blind struct{ store.Store }
	s, err := sealed.New(blind{memory.New(nil)}, [][]byte{secretOne}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Watch(t.Context(), func(store.Event) {}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Watch: %v, want %v", err, errors.ErrUnsupported)
	}
	if _, err := s.ClockSkew(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("ClockSkew: %v, want %v", err, errors.ErrUnsupported)
	}
}

func TestKeyIsSealed(t *testing.T) {
	inner := memory.New(nil)
	s := seal(t, inner, sealed.Options{})
	defer s.Close()
	key, err := store.Key(t.Context(), s, "id", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	records, err := inner.Get(t.Context(), "ring", "key:id")
	if err != nil || bytes.Contains(records[0].Value, key) {
		t.Errorf("the inner store holds the key, or %v", err)
	}
}

func ExampleNew() {
	secret := []byte("at least thirty-two bytes, of the operator's")
	inner := memory.New(time.Now)
	defer inner.Close()
	s, err := sealed.New(inner, [][]byte{secret}, sealed.Options{
		Fault: func(ref store.Ref) { fmt.Println("alarm:", ref.Partition, ref.Key) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_ = s.Apply(ctx, "s:one", store.Op{Key: "session", Value: []byte("hello")})

	// Somebody who can write the store tries.
	_ = inner.Apply(ctx, "s:one", store.Op{Key: "session", Expect: 1, Value: []byte("forged")})
	_, err = s.Get(ctx, "s:one", "session")
	fmt.Println(err)
	// Output:
	// alarm: s:one session
	// sealed: record s:one/session does not open: malformed
}

// What a former release sealed opens for ever.
func TestEveryFormatOpens(t *testing.T) {
	end := time.UnixMilli(4102444800000) // 2100
	for _, f := range storetest.Fixtures(t, "sealed") {
		t.Run(f.Name, func(t *testing.T) {
			inner := memory.New(nil)
			s := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
			defer s.Close()
			apply(t, inner, store.Op{Key: "a", Value: f.Data, ExpiresAt: end})
			want := fmt.Sprintf("a value sealed in format %d", f.Format)
			if r := get(t, s, "a"); string(r.Value) != want || r.Version != 1 || !r.ExpiresAt.Equal(end) {
				t.Errorf("got %q version %d until %v, want %q", r.Value, r.Version, r.ExpiresAt, want)
			}
		})
	}
}
