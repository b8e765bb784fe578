package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/trust"
)

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [--profile <name>] [--config <path>] [--adapter <name>] < token",
		Short: "Says what every check of a profile makes of a token",
		Long: `
Reads a token from standard input, runs every check of a profile of the
configuration on it, and prints for each whether it passed, what is configured,
what the token says, and what would help.

Without --profile the profile is the one that the token's issuer and audience
select; if they select none, every profile says why not. Keys are fetched from
the issuer where the profile says so. The signature is never printed.

The exit status is 0 if the token is good.
`,
		Args: cobra.NoArgs,
		RunE: caddycmd.WrapCommandFuncForCobra(runExplain),
	}
	cmd.Flags().String("profile", "", "the profile to check against")
	cmd.Flags().StringP("config", "c", "", "the configuration file (default: the Caddyfile here)")
	cmd.Flags().StringP("adapter", "a", "", "the adapter of the configuration file")
	return cmd
}

var errNotGood = errors.New("the token is not good")

func runExplain(flags caddycmd.Flags) (int, error) {
	set, err := explainedSet(flags.String("config"), flags.String("adapter"))
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	token, err := readToken(os.Stdin)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	good, err := explain(ctx, os.Stdout, set, flags.String("profile"), token)
	if err == nil && !good {
		err = errNotGood
	}
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	return caddy.ExitCodeSuccess, nil
}

// maxTokenInput is far above any token that could be good.
const maxTokenInput = 64 << 10

func readToken(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTokenInput))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", errors.New("no token on standard input")
	}
	return token, nil
}

// explain writes the findings of the profile that is named, or of the one the
// token selects, or of all of them, and tells whether one of them is content.
func explain(ctx context.Context, w io.Writer, set *trust.Set, name, token string) (bool, error) {
	profiles, err := toExplain(set, name, token)
	if err != nil {
		return false, err
	}
	good := false
	for _, p := range profiles {
		fmt.Fprintf(w, "profile %s\n", p.Name())
		good = writeFindings(w, p.Explain(ctx, token)) || good
	}
	return good, nil
}

func toExplain(set *trust.Set, name, token string) ([]*trust.Profile, error) {
	if name != "" {
		p, ok := set.Profile(name)
		if !ok {
			return nil, fmt.Errorf("there is no profile %q; there are: %s", name, strings.Join(set.Names(), ", "))
		}
		return []*trust.Profile{p}, nil
	}
	if p, err := set.Select(token, set.Names()); err == nil {
		return []*trust.Profile{p}, nil
	}
	all := make([]*trust.Profile, 0, len(set.Names()))
	for _, name := range set.Names() {
		p, _ := set.Profile(name)
		all = append(all, p)
	}
	return all, nil
}

// writeFindings prints one line per check, with what is needed to mend it below,
// and tells whether all passed.
func writeFindings(w io.Writer, findings []trust.Finding) bool {
	good := true
	for _, f := range findings {
		mark := "✓"
		switch {
		case f.Skipped:
			mark, good = "-", false
		case !f.Passed:
			mark, good = "✗", false
		}
		fmt.Fprintf(w, "  %s %s%s\n", mark, f.Check, compared(f))
		if !f.Passed && f.Remedy != "" {
			fmt.Fprintf(w, "      → %s\n", f.Remedy)
		}
	}
	return good
}

func compared(f trust.Finding) string {
	text := ""
	if f.Code != "" {
		text = " (" + f.Code + ")"
	}
	if f.Configured != "" {
		text += "\n      configured: " + f.Configured
	}
	if f.Found != "" {
		text += "\n      token:      " + f.Found
	}
	return text
}

// explainedSet builds the profiles of a configuration, with Caddy's storage for
// the keys of dev profiles, and runs nothing.
func explainedSet(config, adapter string) (*trust.Set, error) {
	data, _, _, err := caddycmd.LoadConfig(config, adapter)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, errors.New("no configuration: there is no Caddyfile here; name one with --config")
	}
	var whole struct {
		Apps struct {
			Attest *App `json:"attest"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, err
	}
	app := whole.Apps.Attest
	if app == nil {
		return nil, errors.New(noApp)
	}
	app.fill()
	if err := provision(func(c *checker) { c.app(app) }, app.replace); err != nil {
		return nil, err
	}
	t, err := app.trust(caddy.DefaultStorage, app.storedDevKeys(context.Background(), caddy.DefaultStorage))
	return t.set, err
}
