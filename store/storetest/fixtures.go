package storetest

import (
	"embed"
	"path"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/store/record"
)

//go:embed testdata/records
var fixtures embed.FS

const fixtureDir = "testdata/records"

// A Fixture is a record as some release wrote it.
type Fixture struct {
	Name   string // of the file
	Format byte
	Data   []byte
}

// Fixtures are the records of one kind ("key", "session", …), one file each in
// testdata/records, named <kind>.<format>[.<what is special>]. Such a file is
// never changed: whoever wrote it cannot be asked to write it anew.
func Fixtures(t testing.TB, kind string) []Fixture {
	t.Helper()
	var list []Fixture
	for _, f := range allFixtures(t) {
		if strings.HasPrefix(f.Name, kind+".") {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		t.Fatalf("storetest: no fixture of kind %q", kind)
	}
	return list
}

func allFixtures(t testing.TB) []Fixture {
	t.Helper()
	entries, err := fixtures.ReadDir(fixtureDir)
	if err != nil {
		t.Fatal(err)
	}
	var list []Fixture
	for _, entry := range entries {
		data, err := fixtures.ReadFile(path.Join(fixtureDir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Fixture{Name: entry.Name(), Format: record.Format(data), Data: data})
	}
	return list
}

var fixtureCases = map[string]func(*subject){
	"fixtures": fixturesPass,
}

// fixturesPass reports that a backend gives back what former releases wrote, byte
// for byte.
func fixturesPass(s *subject) {
	for i, f := range allFixtures(s.T) {
		s.mustApply(put(f.Name, string(f.Data), 0))
		s.holds(f.Name, string(f.Data), 1)
		if f.Format == 0 {
			s.Errorf("fixture %d, %s, has no format", i, f.Name)
		}
	}
}
