package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/backup"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/sealed"
)

var (
	oldSecret = []byte("old-0123456789abcdef0123456789abcdef")
	newSecret = []byte("new-0123456789abcdef0123456789abcdef")
	ends      = time.Now().Add(time.Hour).Truncate(time.Millisecond)
)

func seal(t *testing.T, inner store.Store, secrets ...[]byte) *sealed.Store {
	t.Helper()
	s, err := sealed.New(inner, secrets, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func apply(t *testing.T, s store.Store, partition string, ops ...store.Op) {
	t.Helper()
	if err := s.Apply(t.Context(), partition, ops...); err != nil {
		t.Fatal(err)
	}
}

// written is a file of a bolt store with records of every kind.
func written(t *testing.T) []byte {
	t.Helper()
	file, err := bolt.Open(filepath.Join(t.TempDir(), "a.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := seal(t, file, oldSecret)
	apply(t, s, "ring", store.Op{Key: "ring", Value: []byte("first")})
	apply(t, s, "ring", store.Op{Key: "ring", Expect: 1, Value: []byte("second")})
	apply(t, s, "o:1", store.Op{Key: "org", Value: []byte("acme incorporated"), Tags: []string{"a", "b"}, ExpiresAt: ends},
		store.Op{Key: "use", Value: []byte("blind"), Blind: true})
	apply(t, s, "o:1", store.Op{Key: "short", Value: []byte("x"), Until: time.Now().Add(20 * time.Millisecond)})
	apply(t, s, "o:1", store.Op{Key: "gone", Value: []byte("x")})
	apply(t, s, "o:1", store.Op{Key: "gone", Expect: 1})
	for i := range 100 { // more than one reading transaction copies
		apply(t, s, "many", store.Op{Key: fmt.Sprint(i), Value: bytes.Repeat([]byte("x"), 50_000)})
	}
	var out bytes.Buffer
	records, err := backup.Write(t.Context(), &out, file, time.Now())
	if err != nil || records < 103 {
		t.Fatal(records, err)
	}
	time.Sleep(time.Until(time.Now().Add(25 * time.Millisecond))) // "short" has ended, also where the export saw it
	return out.Bytes()
}

func TestRecordsComeBackUnderAnotherSecret(t *testing.T) {
	data := written(t)
	if bytes.Contains(data, []byte("acme incorporated")) || bytes.Contains(data, []byte("YWNtZ")) {
		t.Error("a value can be read")
	}
	into := memory.New(nil)
	skip := func(ref store.Ref, value []byte) bool {
		return ref.Partition == "many" && ref.Key == "7" && value[0] == 'x'
	}
	done, err := backup.Read(t.Context(), bytes.NewReader(data), into, backup.Options{Secrets: [][]byte{newSecret, oldSecret}, Skip: skip})
	if err != nil || done.Written != 102 || done.Skipped != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	s := seal(t, into, newSecret)
	records, err := s.Get(t.Context(), "o:1", "org", "use", "gone", "short")
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Record{
		{Key: "org", Value: []byte("acme incorporated"), Version: 1, ExpiresAt: ends}, {Key: "use", Value: []byte("blind")}, {Key: "gone"}, {Key: "short"},
	}
	for i := range want {
		if got := records[i]; string(got.Value) != string(want[i].Value) || got.Version != want[i].Version || !got.ExpiresAt.Equal(want[i].ExpiresAt) {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
	if ring, err := s.Get(t.Context(), "ring", "ring"); err != nil || string(ring[0].Value) != "second" {
		t.Errorf("%q, %v", ring[0].Value, err)
	}
	if refs, err := s.List(t.Context(), "b"); err != nil || !reflect.DeepEqual(refs, []store.Ref{{Partition: "o:1", Key: "org"}}) {
		t.Errorf("%v, %v", refs, err)
	}
}

// What is refused leaves nothing behind.
func TestReadRefuses(t *testing.T) {
	data := string(written(t))
	lines := strings.SplitAfter(strings.TrimSuffix(data, "\n"), "\n")
	swapped := strings.Replace(data, `"key":"org"`, `"key":"bad"`, 1)
	var forged *sealed.Error
	for name, c := range map[string]struct {
		file    string
		secrets [][]byte
		want    func(error) bool
	}{
		"cut off":        {strings.Join(lines[:len(lines)-1], ""), [][]byte{oldSecret}, isErr(backup.ErrFile)},
		"a record less":  {strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), [][]byte{oldSecret}, isErr(backup.ErrFile)},
		"another's":      {"{}\n", [][]byte{oldSecret}, isErr(backup.ErrFile)},
		"empty":          {"", [][]byte{oldSecret}, isErr(backup.ErrFile)},
		"newer":          {strings.Replace(data, `"format":1`, `"format":2`, 1), [][]byte{oldSecret}, isErr(backup.ErrFile)},
		"renamed record": {swapped, [][]byte{oldSecret}, func(err error) bool { return errors.As(err, &forged) }},
		"another secret": {data, [][]byte{newSecret}, func(err error) bool { return errors.As(err, &forged) }},
	} {
		t.Run(name, func(t *testing.T) {
			into := memory.New(nil)
			_, err := backup.Read(t.Context(), strings.NewReader(c.file), into, backup.Options{Secrets: c.secrets})
			if !c.want(err) {
				t.Errorf("%v", err)
			}
			if err := into.Scan(t.Context(), func(store.Ref) error { return errors.New("a record was written") }); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("not empty", func(t *testing.T) {
		into := memory.New(nil)
		apply(t, into, "p", store.Op{Key: "k", Value: []byte("v")})
		if _, err := backup.Read(t.Context(), strings.NewReader(data), into, backup.Options{Secrets: [][]byte{oldSecret}}); !errors.Is(err, backup.ErrNotEmpty) {
			t.Error(err)
		}
	})
}

func isErr(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func TestWriteNeedsAStoreThatShowsItsRecords(t *testing.T) {
	if _, err := backup.Write(context.Background(), new(bytes.Buffer), memory.New(nil), time.Now()); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
