package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/record"
	"github.com/attestgate/caddy-attest/store/storetest"
)

func TestKeyIsMadeOnce(t *testing.T) {
	s := memory.New(nil)
	defer s.Close()
	first, err := store.Key(t.Context(), s, "id", rand.Reader)
	if err != nil || len(first) != store.KeyBytes {
		t.Fatalf("got %d bytes, %v", len(first), err)
	}
	second, err := store.Key(t.Context(), s, "id", iotest.ErrReader(errors.New("not asked for")))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second time it is another key, or %v", err)
	}
	other, err := store.Key(t.Context(), s, "index", rand.Reader)
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("another name has the same key, or %v", err)
	}
}

func TestKeyReadsEveryFormat(t *testing.T) {
	for _, f := range storetest.Fixtures(t, "key") {
		t.Run(f.Name, func(t *testing.T) {
			s := memory.New(nil)
			defer s.Close()
			if err := s.Apply(t.Context(), "ring", store.Op{Key: "key:id", Value: f.Data}); err != nil {
				t.Fatal(err)
			}
			key, err := store.Key(t.Context(), s, "id", rand.Reader)
			if err != nil || len(key) != store.KeyBytes || key[1] != 1 || key[31] != 31 {
				t.Errorf("got %v, %v", key, err)
			}
		})
	}
}

// late is a store in which another node makes the key between our reading and
// our writing.
type late struct {
	store.Store
	other store.Op
}

func (l *late) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := l.Store.Apply(ctx, partition, l.other); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return l.Store.Apply(ctx, partition, ops...)
}

func TestKeyOfTheFasterNodeWins(t *testing.T) {
	s := memory.New(nil)
	defer s.Close()
	theirs := storetest.Fixtures(t, "key")[0].Data
	key, err := store.Key(t.Context(), &late{s, store.Op{Key: "key:id", Value: theirs}}, "id", rand.Reader)
	if err != nil || key[31] != 31 {
		t.Errorf("got %v, %v; want the other node's key", key, err)
	}
}

func TestKeyRefuses(t *testing.T) {
	short, _ := record.Encode(1, map[string]any{"key": "AAEC"})
	newer, _ := record.Encode(9, map[string]any{"key": "AAEC"})
	var format *record.FormatError
	for name, row := range map[string]struct {
		stored []byte
		random string
		want   func(error) bool
	}{
		"a short key":        {stored: short, want: func(err error) bool { return strings.Contains(err.Error(), "3 bytes, want 32") }},
		"a newer format":     {stored: newer, want: func(err error) bool { return errors.As(err, &format) }},
		"no record":          {stored: []byte("x"), want: func(err error) bool { return errors.Is(err, record.ErrMalformed) }},
		"too little entropy": {random: "sixteen bytes...", want: func(err error) bool { return strings.Contains(err.Error(), "random bytes") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := memory.New(nil)
			defer s.Close()
			if row.stored != nil {
				if err := s.Apply(t.Context(), "ring", store.Op{Key: "key:id", Value: row.stored}); err != nil {
					t.Fatal(err)
				}
			}
			key, err := store.Key(t.Context(), s, "id", strings.NewReader(row.random))
			if err == nil || !row.want(err) || key != nil {
				t.Errorf("got %v, %v", key, err)
			}
		})
	}
}

func TestKeyOfAClosedStore(t *testing.T) {
	s := memory.New(nil)
	s.Close()
	if _, err := store.Key(t.Context(), s, "id", rand.Reader); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v, want %v", err, store.ErrClosed)
	}
}

func TestMillis(t *testing.T) {
	moment := time.Date(2026, 11, 21, 12, 0, 0, 1_999_999, time.UTC)
	for name, row := range map[string]struct {
		in, want time.Time
	}{
		"never":             {time.Time{}, time.Time{}},
		"is cut off":        {moment, moment.Truncate(time.Millisecond)},
		"any zone":          {moment.In(time.FixedZone("X", 3600)), moment.Truncate(time.Millisecond)},
		"1970 is not never": {time.UnixMilli(0), time.UnixMilli(1)},
		"before 1970":       {time.UnixMilli(-5), time.UnixMilli(1)},
	} {
		if got := store.FromMillis(store.Millis(row.in)); !got.Equal(row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

func TestSooner(t *testing.T) {
	a, b, never := time.UnixMilli(1), time.UnixMilli(2), time.Time{}
	for _, row := range []struct{ x, y, want time.Time }{
		{a, b, a}, {b, a, a}, {never, a, a}, {a, never, a}, {never, never, never}, {a, a, a},
	} {
		if got := store.Sooner(row.x, row.y); !got.Equal(row.want) {
			t.Errorf("of %v and %v: %v, want %v", row.x, row.y, got, row.want)
		}
	}
}

// What a caller passes may be a stranger's: no error repeats it.
func TestNameErrorsDoNotRepeatTheName(t *testing.T) {
	for _, err := range []error{
		store.CheckName("secret value"),
		store.CheckKeys("secret value"),
		store.CheckApply("p", []store.Op{{Key: "secret value"}}),
		store.CheckApply("p", []store.Op{{Key: "k", Tags: []string{"secret value"}}}),
	} {
		if !errors.Is(err, store.ErrName) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	}
}

func ExampleKey() {
	s := memory.New(time.Now)
	defer s.Close()
	ctx := context.Background()

	one, _ := store.Key(ctx, s, "id", rand.Reader)
	two, _ := store.Key(ctx, s, "id", rand.Reader)
	fmt.Println(len(one), bytes.Equal(one, two))
	// Output: 32 true
}

func TestLargestValue(t *testing.T) {
	s := memory.New(nil)
	defer s.Close()
	if err := s.Apply(t.Context(), "p", store.Op{Key: "k", Value: make([]byte, store.MaxValue)}); err != nil {
		t.Error(err)
	}
	err := s.Apply(t.Context(), "p", store.Op{Key: "k", Expect: 1, Value: make([]byte, store.MaxValue+1)})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, store.ErrTooLarge)
	}
}
