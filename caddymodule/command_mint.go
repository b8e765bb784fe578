package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/certmagic"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func mintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mint <profile> [--email <address>] [--claim <name>=<value>]... [--expires <duration>] [--config <path> [--adapter <name>]]",
		Short: "Signs a token for a dev profile",
		Long: `
Signs a token with the key pair of a dev profile and prints it.

It needs only Caddy's storage, in which the profile's key lies once a
configuration with the profile has run: with --config the storage that this
configuration names, else Caddy's default. A --claim is JSON where it reads as
JSON (roles=["editor"], level=3), and text otherwise.
`,
		Args: cobra.ExactArgs(1),
		RunE: caddycmd.WrapCommandFuncForCobra(runMint),
	}
	cmd.Flags().String("email", "", "the email claim; email_verified is then true")
	cmd.Flags().String("sub", "", "the sub claim (default: the email, else the profile's name)")
	cmd.Flags().StringArray("claim", nil, "a further claim, name=value; may be repeated")
	cmd.Flags().StringP("config", "c", "", "the configuration file whose storage holds the key")
	cmd.Flags().StringP("adapter", "a", "", "the adapter of the configuration file")
	cmd.Flags().Duration("expires", 5*time.Minute, "how long the token is good")
	return cmd
}

func runMint(flags caddycmd.Flags) (int, error) {
	claims, err := mintClaims(flags)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	storage, err := configuredStorage(flags.String("config"), flags.String("adapter"))
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	token, err := mintDev(context.Background(), storage, flags.Arg(0), claims, time.Now())
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	fmt.Println(token)
	return caddy.ExitCodeSuccess, nil
}

// configuredStorage is the storage that a configuration names, and Caddy's default without
// one.
func configuredStorage(config, adapter string) (certmagic.Storage, error) {
	if config == "" {
		return caddy.DefaultStorage, nil
	}
	data, _, _, err := caddycmd.LoadConfig(config, adapter)
	if err != nil {
		return nil, err
	}
	var whole struct {
		Storage json.RawMessage `json:"storage" caddy:"namespace=caddy.storage inline_key=module"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, err
	}
	if len(whole.Storage) == 0 {
		return caddy.DefaultStorage, nil
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	module, err := ctx.LoadModule(&whole, "Storage")
	if err != nil {
		return nil, fmt.Errorf("the storage of %s: %w", config, err)
	}
	return module.(caddy.StorageConverter).CertMagicStorage()
}

// devClaims are what the flags say of a token.
type devClaims struct {
	sub, email string
	expires    time.Duration
	more       map[string]any
}

func mintClaims(flags caddycmd.Flags) (devClaims, error) {
	c := devClaims{sub: flags.String("sub"), email: flags.String("email"), expires: flags.Duration("expires"), more: map[string]any{}}
	list, err := flags.GetStringArray("claim")
	if err != nil {
		return c, err
	}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return c, fmt.Errorf("--claim %s: expected name=value", text)
		}
		c.more[name] = claimValue(value)
	}
	return c, nil
}

// claimValue reads JSON where the text is JSON; anything else is itself.
func claimValue(text string) any {
	if v, err := strictjson.Parse([]byte(text)); err == nil {
		return v
	}
	return text
}

func mintDev(ctx context.Context, storage certmagic.Storage, profile string, c devClaims, now time.Time) (string, error) {
	data, err := storage.Load(ctx, devKeyName(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no dev key of a profile %q: run a configuration with `profile %s { dev }` once", profile, profile)
	}
	if err != nil {
		return "", err
	}
	key, err := readDevKey(data)
	if err != nil {
		return "", err
	}
	signer, err := key.signer()
	if err != nil {
		return "", err
	}
	payload, err := strictjson.Marshal(key.claims(profile, c, now))
	if err != nil {
		return "", err
	}
	return signer.Sign(payload)
}

func (k *devKey) claims(profile string, c devClaims, now time.Time) map[string]any {
	claims := map[string]any{
		"iss": k.Issuer, "aud": k.Audience, "sub": profile, "jti": uuid.NewString(),
		"iat": now.Unix(), "exp": now.Add(c.expires).Unix(),
	}
	if c.email != "" {
		claims["sub"], claims["email"], claims["email_verified"] = c.email, c.email, true
	}
	if c.sub != "" {
		claims["sub"] = c.sub
	}
	for name, value := range c.more {
		claims[name] = value
	}
	return claims
}
