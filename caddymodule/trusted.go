package caddymodule

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// A trusted holds the profiles of a configuration as package trust has them.
type trusted struct {
	logger  *zap.Logger // of outages; nil where nothing runs
	set     *trust.Set
	remote  map[string]*trust.RemoteKeys // by profile, to be kept fresh while the configuration runs
	files   []*trust.ReloadingKeys       // to be read again likewise
	secrets []*trust.SecretFiles         // likewise
	keep    []string                     // claims of tokens that templates name
	roles   []string                     // that role blocks name
	// namespace is that of profiles which name none, if it is not their own.
	namespace string
}

// devKeysOf answers the public keys of a dev profile.
type devKeysOf func(name string, p *Profile) (trust.KeySource, error)

// trust builds the profiles. Every key file is read and every option judged, so
// that a configuration that could not verify anything is refused when it is
// loaded; nothing is fetched.
func (a *App) trust(storage certmagic.Storage, dev devKeysOf) (trusted, error) {
	t := trusted{logger: a.logger, remote: make(map[string]*trust.RemoteKeys), keep: a.keptClaims(), roles: keys(a.Roles), namespace: a.defaultNamespace()}
	profiles := make([]*trust.Profile, 0, len(a.Profiles))
	for name, configured := range sorted(a.Profiles) {
		p, err := t.profile(name, configured, storage, dev)
		if err != nil {
			return trusted{}, err
		}
		profiles = append(profiles, p)
	}
	set, err := trust.NewSet(profiles...)
	if err != nil {
		return trusted{}, err
	}
	t.set = set
	return t, errors.Join(set.CheckIssuer(a.issuer()), set.CheckSecrets())
}

// keptClaims are the paths of claims that templates and access tokens have of trusted tokens.
func (a *App) keptClaims() []string {
	paths := tokenClaims(a.templates)
	if slices.ContainsFunc(a.routes, func(r *proxy.Route) bool { return r.AccessToken }) {
		paths = append(paths, authn.ClientClaims...)
		slices.Sort(paths)
	}
	return slices.Compact(paths)
}

func (t *trusted) profile(name string, p *Profile, storage certmagic.Storage, dev devKeysOf) (*trust.Profile, error) {
	at := grammar.Place{"profile", name}
	keys, err := t.keys(name, p, storage, dev)
	if err != nil {
		return nil, profileProblem(at, err)
	}
	c := p.trusted(name)
	c.Keys, c.KeepClaims, c.ReservedRoles, c.DefaultNamespace = keys, t.keep, t.roles, t.namespace
	profile, err := trust.NewProfile(c)
	if err != nil {
		return nil, profileProblem(at, err)
	}
	if err := p.checkPreset(c); err != nil {
		return nil, profileProblem(at.At(p.presetWord()), err)
	}
	return profile, nil
}

// keys opens the one source of keys that the profile names.
func (t *trusted) keys(name string, p *Profile, storage certmagic.Storage, dev devKeysOf) (trust.KeySource, error) {
	switch {
	case p.Dev:
		return dev(name, p)
	case p.keysURL() != nil:
		return t.remoteKeys(name, p, storage)
	case p.Introspect != nil:
		return p.Introspect.open()
	case len(p.SharedSecrets) > 0:
		return trust.SharedSecrets(p.secrets()...)
	case p.SecretFiles != nil:
		return t.secretFiles(name, p.SecretFiles)
	case p.JWKSFile != "":
		return t.fileKeys(name, []string{p.JWKSFile}, func(contents ...[]byte) (trust.KeySource, error) { return trust.FileKeys(contents[0]) })
	}
	return t.fileKeys(name, p.PublicKeyFiles, trust.PEMKeys)
}

// fileKeys are keys in files, which are read again while the configuration runs.
func (t *trusted) fileKeys(name string, paths []string, parse func(...[]byte) (trust.KeySource, error)) (trust.KeySource, error) {
	var outcome func(error)
	if t.logger != nil {
		outcome = filesOutcome(t.logger, name, paths)
	}
	keys, err := trust.NewReloadingKeys(func() ([][]byte, error) { return readFiles(paths) }, parse, outcome)
	if err != nil {
		return nil, err
	}
	t.files = append(t.files, keys)
	return keys, nil
}

// filesOutcome logs that the key files of a profile have changed.
func filesOutcome(log *zap.Logger, profile string, paths []string) func(error) {
	log = log.With(zap.String("profile", profile), zap.Strings("files", paths))
	return func(err error) {
		if err != nil {
			log.Warn("the changed key files of a profile cannot be used; the last good keys stay in force", zap.Error(err))
			return
		}
		log.Info("the key files of a profile were read again")
	}
}

func (t *trusted) remoteKeys(name string, p *Profile, storage certmagic.Storage) (trust.KeySource, error) {
	c, err := p.remote()
	if err != nil {
		return nil, err
	}
	if storage != nil { // a check keeps nothing
		c.Archive = archive{storage}
	}
	if t.logger != nil {
		c.Outcome, c.Moved = keysOutcome(t.logger, name, trust.WithoutQuery(p.keysURL().URL)), keysMoved(t.logger, name)
	}
	keys, err := trust.NewRemoteKeys(c)
	if err != nil {
		return nil, err
	}
	t.remote[name] = keys
	return keys, nil
}

// keysOutcome logs what becomes of fetching the keys of a profile: the first fetch, when
// they cannot be fetched, when that lasts, and when they can again, once each.
func keysOutcome(log *zap.Logger, profile, url string) func(error, time.Duration) {
	log = log.With(zap.String("profile", profile), zap.String("url", url))
	return func(err error, after time.Duration) {
		switch {
		case err != nil && after > 0:
			log.Error("the keys of a profile cannot be fetched for long; when stale_keys is over its tokens are answered 503", zap.Error(err), zap.Duration("for", after))
		case err != nil:
			log.Warn("the keys of a profile cannot be fetched; the last good set serves while stale_keys allows, and where there is none its tokens are answered 503", zap.Error(err))
		case after > 0:
			log.Info("the keys of a profile are fetched again", zap.Duration("back_after", after))
		default:
			log.Info("the keys of a profile are fetched")
		}
	}
}

// keysMoved warns of keys that an issuer has elsewhere now.
func keysMoved(log *zap.Logger, profile string) func(from, to string) {
	return func(from, to string) {
		log.Warn("the issuer's jwks_uri leads to another host; the keys there are taken", zap.String("profile", profile), zap.String("from", from), zap.String("to", to))
	}
}

func readFiles(paths []string) ([][]byte, error) {
	list := make([][]byte, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		list = append(list, data)
	}
	return list, nil
}

// storedDevKeys opens the key pairs in Caddy's storage, and makes those that are
// missing.
func (a *App) storedDevKeys(ctx context.Context, storage certmagic.Storage) devKeysOf {
	return func(name string, p *Profile) (trust.KeySource, error) {
		k, err := openDevKey(ctx, storage, name, p.issuers(name)[0], p.audiences()[0])
		if err != nil {
			return nil, err
		}
		return k.keys()
	}
}

// passingDevKeys are for judging a configuration without touching the storage:
// a key pair that is not kept.
func passingDevKeys(string, *Profile) (trust.KeySource, error) {
	data, err := newDevKey("urn:none", "urn:none")
	if err != nil {
		return nil, err
	}
	k, err := readDevKey(data)
	if err != nil {
		return nil, err
	}
	return k.keys()
}

func readTrimmed(path string) (string, error) {
	data, err := os.ReadFile(path)
	return strings.TrimSpace(string(data)), err
}
