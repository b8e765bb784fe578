package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
)

// SecretFiles are secrets that an issuer shares with installations of an app. The
// organization must begin with the claim, and people of two installations are never one.
type SecretFiles struct {
	// The directory. Each file holds one secret of 32 bytes to 4 KiB, a line break at its end
	// apart, and is called as the installation: 1 to 128 of A–Z a–z 0–9 . _ -, no dot first
	// and no two in a row. Other files are left out, and links that lead out of the
	// directory. It is read again when it changes.
	Directory string `json:"directory"`

	// The claim that names the installation.
	Claim string `json:"claim"`
}

const maxSecretFile = 4 << 10

var errTooManySecrets = fmt.Errorf("more than %d files", trust.MaxInstallations)

// read reads the secrets. What is no secret for its size is read as empty, so that it is
// told of with those that cannot be used.
func (f *SecretFiles) read() (map[string][]byte, error) {
	root, err := os.OpenRoot(f.Directory) // which follows no link that leads out
	if err != nil {
		return nil, err
	}
	defer root.Close()
	directory, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer directory.Close()
	entries, err := directory.ReadDir(2 * trust.MaxInstallations)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	secrets := map[string][]byte{}
	for _, entry := range entries {
		if !trust.IsInstallation(entry.Name()) || entry.IsDir() {
			continue
		}
		secret, err := readSecret(root, entry.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist): // it went while the directory was read
			continue
		case err != nil:
			secret = nil
		}
		if secrets[entry.Name()] = secret; len(secrets) > trust.MaxInstallations {
			return nil, errTooManySecrets
		}
	}
	return secrets, nil
}

var errNoSecret = errors.New("no regular file of a secret's size")

// readSecret looks at what it opens before, since a pipe would keep it waiting.
func readSecret(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxSecretFile:
		return nil, errNoSecret
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil || len(data) > maxSecretFile {
		return nil, errNoSecret
	}
	return []byte(strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")), nil
}

// secretFiles are the secrets, which are read again while the configuration runs.
func (t *trusted) secretFiles(name string, f *SecretFiles) (trust.KeySource, error) {
	var outcome func([]string, error)
	if t.logger != nil {
		outcome = secretsOutcome(t.logger, name, f.Directory)
	}
	keys, err := trust.NewSecretFiles(f.read, outcome)
	if err != nil {
		return nil, err
	}
	t.secrets = append(t.secrets, keys)
	return keys, nil
}

// secretsOutcome logs that the secrets of installations have changed. Names of files are
// those of installations, which the operator has given.
func secretsOutcome(log *zap.Logger, profile, directory string) func([]string, error) {
	log = log.With(zap.String("profile", profile), zap.String("directory", directory))
	return func(refused []string, err error) {
		switch {
		case err != nil:
			log.Warn("the directory of shared secrets cannot be read; those read last stay in force", zap.Error(err))
		case len(refused) > 0:
			log.Warn("shared secrets cannot be used, so that tokens of these installations are refused: each needs 32 bytes or more that are no key and no certificate", zap.Int("count", len(refused)), zap.Strings("installations", refused[:min(len(refused), 20)]))
		default:
			log.Info("the directory of shared secrets was read")
		}
	}
}

// readSharedSecret reads `shared_secret <value>...` and `shared_secret from <directory> by
// <claim>`.
func readSharedSecret(r *grammar.Reader, p *Profile) error {
	args, err := r.Args(1)
	switch {
	case err != nil:
		return err
	case args[0] != "from":
		p.SharedSecrets = append(p.SharedSecrets, args...)
		return nil
	case len(args) != 4 || args[2] != "by":
		return r.Wrong()
	case p.SecretFiles != nil:
		return r.Again()
	}
	p.SecretFiles = &SecretFiles{Directory: args[1], Claim: args[3]}
	return nil
}
