package caddymodule

import (
	"context"
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
		Use:   "mint <profile> [--email <address>] [--claim <name>=<value>]... [--expires <duration>]",
		Short: "Signs a token for a dev profile",
		Long: `
Signs a token with the key pair of a dev profile and prints it.

It needs only Caddy's storage, in which the profile's key lies once a
configuration with the profile has run. A --claim is JSON where it reads as
JSON (roles=["editor"], level=3), and text otherwise.
`,
		Args: cobra.ExactArgs(1),
		RunE: caddycmd.WrapCommandFuncForCobra(runMint),
	}
	cmd.Flags().String("email", "", "the email claim; email_verified is then true")
	cmd.Flags().String("sub", "", "the sub claim (default: the email, else the profile's name)")
	cmd.Flags().StringArray("claim", nil, "a further claim, name=value; may be repeated")
	cmd.Flags().Duration("expires", 5*time.Minute, "how long the token is good")
	return cmd
}

func runMint(flags caddycmd.Flags) (int, error) {
	claims, err := mintClaims(flags)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	token, err := mintDev(context.Background(), caddy.DefaultStorage, flags.Arg(0), claims, time.Now())
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	fmt.Println(token)
	return caddy.ExitCodeSuccess, nil
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
