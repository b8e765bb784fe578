package trust_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// Key files are read again when they change, also by a rename or by another link; what
// cannot be used leaves the last good keys in force, and is told once.
func TestKeyFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.pem")
	write := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second, third := trusttest.NewKey(t, jose.ES256), trusttest.NewKey(t, jose.ES256), trusttest.NewKey(t, jose.ES256)
	must(os.Symlink(write("one", first.PEM(t)), path))
	var told []string
	read := func() ([][]byte, error) {
		data, err := os.ReadFile(path)
		return [][]byte{data}, err
	}
	keys, err := trust.NewReloadingKeys(read, trust.PEMKeys, func(err error) { told = append(told, fmt.Sprint(err != nil)) })
	must(err)
	w := newWorld(t)
	p := w.profile(func(c *trust.Config) { c.Keys = keys })
	signed := func(k trusttest.Key) string { return w.Sign(nil, trusttest.By(k)) }
	accept(t, p, signed(first))

	must(os.Symlink(write("two", second.PEM(t)), path+".next"))
	must(os.Rename(path+".next", path)) // as Kubernetes swaps what it mounts
	refuse(t, p, signed(second), trust.CodeSignatureInvalid)
	keys.Reload()
	accept(t, p, signed(second))
	refuse(t, p, signed(first), trust.CodeSignatureInvalid)

	for range 3 {
		write("two", []byte("half a file"))
		keys.Reload()
		accept(t, p, signed(second))
	}
	must(os.Remove(path))
	for range 3 {
		keys.Reload()
		accept(t, p, signed(second))
	}
	write("keys.pem", third.PEM(t))
	keys.Reload()
	keys.Reload()
	accept(t, p, signed(third))
	if got := fmt.Sprint(told); got != "[false true true false]" {
		t.Errorf("told %s", got)
	}
}

// A remembered token dies with its key.
func TestKeyFilesThatChangeEndWhatWasVerified(t *testing.T) {
	w := newWorld(t)
	contents := w.Key().PEM(t)
	keys, err := trust.NewReloadingKeys(func() ([][]byte, error) { return [][]byte{contents}, nil }, trust.PEMKeys, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := set(t, w.profile(func(c *trust.Config) { c.Keys = keys }))
	token := w.Sign(nil)
	for range 2 {
		if _, err := s.Verify(t.Context(), token, []string{"acme"}); err != nil {
			t.Fatal(err)
		}
	}
	contents = trusttest.NewKey(t, jose.ES256).PEM(t)
	keys.Reload()
	_, err = s.Verify(t.Context(), token, []string{"acme"})
	refused(t, nil, err, trust.CodeSignatureInvalid)

	_, err = trust.NewReloadingKeys(func() ([][]byte, error) { return nil, errors.New("away") }, trust.PEMKeys, nil)
	if err == nil {
		t.Error("files that cannot be read")
	}
}
