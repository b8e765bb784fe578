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

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/trust"
)

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [<token>] [--profile <name>] [--all] [--config <path>] [--adapter <name>]",
		Short: "Says what the gateway makes of a token, and why",
		Long: `
Says in its first line what is wrong with a token and what to do, then what every
check made of it: whether it passed, what is configured, what the token says, and
what would help. The token is read from standard input, so that it does not stay in
the history of the shell; a header line, quotes and line breaks around it do not
matter.

The running gateway is asked, which also looks at the store: organization, member,
and the JWT that an upstream would receive. With --config the profiles of that file
judge the token, and the store is not looked at. Keys are fetched from the issuer
where the profile says so. Nothing is stored, and the signature is never printed.

The exit status is 0 if the token is good, 1 if it is refused.
`,
		Args: cobra.MaximumNArgs(1),
	}
	command.Run(cmd, runExplain)
	cmd.Flags().String("profile", "", "the profile to check against (default: the one that the token selects)")
	cmd.Flags().Bool("all", false, "say of every profile what it makes of the token")
	cmd.Flags().StringP("config", "c", "", "judge with the profiles of this configuration file, and not with a running gateway")
	cmd.Flags().StringP("adapter", "a", "", "the adapter of the configuration file")
	return cmd
}

var errNotGood = errors.New("the token is not good")

func runExplain(cmd *cobra.Command, args []string) error {
	token, err := tokenOf(cmd, args)
	if err != nil {
		return err
	}
	profile, _ := cmd.Flags().GetString("profile")
	all, _ := cmd.Flags().GetBool("all")
	config, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	ask := func(profile string) (admin.Explanation, error) { return command.Explain(cmd, token, profile) }
	names := func() ([]string, error) { return command.ProfileNames(cmd) }
	if config != "" {
		set, err := explainedSet(config, adapter)
		if err != nil {
			return err
		}
		ask = func(profile string) (admin.Explanation, error) {
			return explainOffline(cmd.Context(), set, token, profile)
		}
		names = func() ([]string, error) { return set.Names(), nil }
	}
	profiles := []string{profile}
	if all {
		if profiles, err = names(); err != nil {
			return err
		}
	}
	return explainAll(cmd, profiles, ask)
}

func explainAll(cmd *cobra.Command, profiles []string, ask func(string) (admin.Explanation, error)) error {
	admitted := false
	for _, profile := range profiles {
		e, err := ask(profile)
		if err != nil {
			return err
		}
		admitted = admitted || e.Admitted
		if err := command.PrintExplanation(cmd, e); err != nil {
			return err
		}
	}
	if !admitted {
		return errNotGood
	}
	return nil
}

// explainOffline judges with the profiles of a file. Whether a token that passes would
// be admitted depends on the store too, which is told as not looked at.
func explainOffline(ctx context.Context, set *trust.Set, token, profile string) (admin.Explanation, error) {
	names := set.Names()
	if profile != "" {
		if _, ok := set.Profile(profile); !ok {
			return admin.Explanation{}, fmt.Errorf("there is no profile %q; there are: %s", profile, strings.Join(names, ", "))
		}
		names = []string{profile}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	found := set.ExplainToken(ctx, token, names)
	e := admin.ExplanationOf(authn.Explanation{Explanation: found, Admitted: found.Good})
	e.NotLookedAt = append(e.NotLookedAt, "the store: organization, member, what operators have revoked")
	return e, nil
}

// maxTokenInput is far above any token that could be good.
const maxTokenInput = 64 << 10

// tokenOf is the argument, else what stands on standard input.
func tokenOf(cmd *cobra.Command, args []string) (string, error) {
	if len(args) == 1 {
		fmt.Fprintln(cmd.ErrOrStderr(), "the token is in the history of this shell now; standard input keeps it out")
		return args[0], nil
	}
	if isTerminal(cmd.InOrStdin()) {
		fmt.Fprintln(cmd.ErrOrStderr(), "paste the token, then press Ctrl-D on a line of its own")
	}
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxTokenInput))
	if err != nil {
		return "", err
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return "", errors.New("no token on standard input")
	}
	return string(data), nil
}

func isTerminal(r io.Reader) bool {
	file, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// explainedSet builds the profiles of a configuration, with Caddy's storage for
// the keys of dev profiles, and runs nothing.
func explainedSet(config, adapter string) (*trust.Set, error) {
	app, err := configuredApp(config, adapter)
	if err != nil {
		return nil, err
	}
	storage, err := configuredStorage(config, adapter)
	if err != nil {
		return nil, err
	}
	t, err := app.trust(storage, app.storedDevKeys(context.Background(), storage))
	return t.set, err
}

// configuredApp is the app of a configuration file, checked and with placeholders
// replaced; nothing of it runs.
func configuredApp(config, adapter string) (*App, error) {
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
	return app, provision(func(c *checker) { c.app(app) }, app.replace)
}
