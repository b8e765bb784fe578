package trust

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// MaxInstallations is how many secrets of one profile may lie in a directory.
const MaxInstallations = 10_000

// installationForm is the grammar of names of installations: those of files that can be
// nothing but files.
var installationForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

// IsInstallation tells whether an installation, and the file of its secret, may be called
// so.
func IsInstallation(name string) bool {
	return installationForm.MatchString(name) && !strings.Contains(name, "..")
}

// installationOf is the name that a claim holds; empty where it holds none.
func installationOf(claim any) string {
	if _, truth := claim.(bool); truth {
		return ""
	}
	if text, ok := scalarText(claim); ok && IsInstallation(text) {
		return text
	}
	return ""
}

// SecretFiles are secrets that an issuer shares with installations, one each, in a
// directory: the name of a file is that of the installation. The directory is listed when
// the configuration is loaded and again while it runs; a token's claim is looked up in that
// list, and never part of a path. It is safe for concurrent use.
type SecretFiles struct {
	read    func() (map[string][]byte, error)
	outcome func(refused []string, err error)

	current atomic.Pointer[map[string]staticKeys]
	// nobodys signs nothing: a token of an installation that is not there is judged by it, so
	// that neither the answer nor the time it takes tells which there are.
	nobodys staticKeys
	// Of Run alone:
	seen   [sha256.Size]byte
	failed bool
}

// NewSecretFiles reads the secrets once; an error is one of that. read answers them by name
// of the installation. outcome is told when they have changed: which cannot be used, or why
// the last good ones stay; it may be nil.
func NewSecretFiles(read func() (map[string][]byte, error), outcome func(refused []string, err error)) (*SecretFiles, error) {
	key, err := jose.NewSecret([]byte(rand.Text() + rand.Text()))
	if err != nil {
		return nil, err
	}
	s := &SecretFiles{read: read, outcome: outcome, nobodys: staticKeys{newKeyIndex(jose.KeySet{Keys: []jose.Key{key}})}}
	contents, err := read()
	if err != nil {
		return nil, fmt.Errorf("trust: shared secrets of installations: %w", err)
	}
	s.use(contents)
	return s, nil
}

// use takes the secrets that can be used, and tells which cannot.
func (s *SecretFiles) use(contents map[string][]byte) {
	keys, refused := make(map[string]staticKeys, len(contents)), []string(nil)
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		key, err := jose.NewSecret(contents[name])
		if err != nil || !IsInstallation(name) {
			refused = append(refused, name)
			continue
		}
		keys[name] = staticKeys{newKeyIndex(jose.KeySet{Keys: []jose.Key{key}})}
	}
	s.current.Store(&keys)
	s.seen = digestOfFiles(contents)
	if s.outcome != nil {
		s.outcome(refused, nil)
	}
}

func digestOfFiles(contents map[string][]byte) [sha256.Size]byte {
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		parts = append(parts, []byte(name), contents[name])
	}
	return digestOf(parts)
}

// Run looks at the directory until ctx ends, and returns its error.
func (s *SecretFiles) Run(ctx context.Context) error {
	for {
		if err := sleep(ctx, ReloadInterval); err != nil {
			return err
		}
		s.Reload()
	}
}

// Reload looks at the directory now. It is called by one at a time.
func (s *SecretFiles) Reload() {
	contents, err := s.read()
	switch again := s.failed; {
	case err != nil:
		if s.failed = true; !again && s.outcome != nil {
			s.outcome(nil, err)
		}
	case again || digestOfFiles(contents) != s.seen:
		s.failed = false
		s.use(contents)
	}
}

// Keys is that of KeySource: the secret of the installation that the hint names.
func (s *SecretFiles) Keys(ctx context.Context, hint KeyHint) ([]Key, error) {
	keys, found := (*s.current.Load())[hint.Installation]
	if !found {
		keys = s.nobodys
	}
	return keys.index.all, ctx.Err()
}

// Status of the secrets, for operators.
func (s *SecretFiles) Status() KeyStatus { return KeyStatus{Keys: len(*s.current.Load())} }
