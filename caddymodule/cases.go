package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/cases"
	"github.com/attestgate/caddy-attest/trust"
)

// runCases runs the files of cases that the configuration names: a profile or template
// that no longer does what a case expects refuses the configuration.
func (a *App) runCases(ctx context.Context, set *trust.Set) error {
	for _, path := range a.Tests {
		if _, err := a.runCaseFile(ctx, set, path); err != nil {
			return &grammar.Problem{Place: grammar.Place{"test", path}, Text: err.Error()}
		}
	}
	return nil
}

// runCaseFile runs one file, and answers how many cases it has. The error tells of all
// that failed.
func (a *App) runCaseFile(ctx context.Context, set *trust.Set, path string) (int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	list, err := cases.Parse(data)
	if err != nil {
		return 0, err
	}
	judge := cases.Judge{Profiles: set, Templates: a.templates, Policy: a.claimPolicy()}
	var failed []error
	for _, c := range list {
		failed = append(failed, c.Run(ctx, judge))
	}
	return len(list), errors.Join(failed...)
}

func testCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test <file>... [--config <path>] [--adapter <name>]",
		Short: "Runs files of cases against the profiles and templates of a configuration",
		Long: `
Runs files of cases: claims of a token, and the reason, roles, organization or claims
that are expected of it (docs/testing.md). It needs no running gateway; nothing is
signed and nothing fetched. Files that the configuration names with 'test' run
whenever it is validated.

The exit status is 0 if every case comes out as expected.
`,
		Args: cobra.MinimumNArgs(1),
	}
	command.Run(cmd, runTest)
	cmd.Flags().StringP("config", "c", "", "the configuration file (default: the Caddyfile here)")
	cmd.Flags().StringP("adapter", "a", "", "the adapter of the configuration file")
	return cmd
}

func runTest(cmd *cobra.Command, files []string) error {
	config, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	app, err := configuredApp(config, adapter)
	if err != nil {
		return err
	}
	if app.templates, err = app.parseTemplates(); err != nil {
		return err
	}
	t, err := app.trust(nil, passingDevKeys)
	if err != nil {
		return err
	}
	for _, path := range files {
		n, err := app.runCaseFile(cmd.Context(), t.set, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "ok %s (%d cases)\n", path, n)
	}
	return nil
}
