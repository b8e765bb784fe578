package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store/redis"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [--config <path>] [--adapter <name>]",
		Short: "Checks a configuration, and then whether what it names can be reached",
		Long: `
Checks the attest part of a configuration as 'caddy validate' does, runs the cases that
it names, and then looks beyond: are the keys of each issuer there and usable, does the
store answer and is it set up well, is the clock right? What is wrong is printed with
what would help. Nothing is written, and no running gateway is needed.

The exit status is 0 if everything is right, 1 if not; what is only a warning is told.
`,
		Args: cobra.NoArgs,
	}
	command.Run(cmd, runCheck)
	cmd.Flags().StringP("config", "c", "", "the configuration file (default: the Caddyfile here)")
	cmd.Flags().StringP("adapter", "a", "", "the adapter of the configuration file")
	return cmd
}

// checkTimeout bounds all that is asked of the network.
const checkTimeout = 30 * time.Second

var errNotRight = errors.New("not everything is right")

func runCheck(cmd *cobra.Command, _ []string) error {
	config, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	app, err := configuredApp(config, adapter)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), checkTimeout)
	defer cancel()
	report := &checkReport{w: cmd.OutOrStdout()}
	app.checkOffline(ctx, report)
	app.checkStore(ctx, report)
	if report.failed {
		return errNotRight
	}
	return nil
}

// A checkReport prints what was found, line by line.
type checkReport struct {
	w      io.Writer
	failed bool
}

func (r *checkReport) good(format string, args ...any) { fmt.Fprintf(r.w, "✓ "+format+"\n", args...) }

func (r *checkReport) warning(text, remedy string) {
	fmt.Fprintf(r.w, "! %s\n    → %s\n", text, remedy)
}

func (r *checkReport) bad(text string, err error, remedy string) {
	r.failed = true
	fmt.Fprintf(r.w, "✗ %s: %v\n    → %s\n", text, err, remedy)
}

// checkOffline checks what needs files alone, then the issuers' keys.
func (a *App) checkOffline(ctx context.Context, report *checkReport) {
	report.good("configuration of %d profiles, %d templates", len(a.Profiles), len(a.Templates))
	var err error
	if a.templates, err = a.parseTemplates(); err != nil {
		report.bad("templates", a.located(err), "mend the template")
		return
	}
	t, err := a.trust(nil, passingDevKeys)
	if err != nil {
		report.bad("profiles", a.located(err), "mend the profile")
		return
	}
	if err := a.runCases(ctx, t.set); err != nil {
		report.bad("cases", err, "mend the profile or template, or the case")
	} else if len(a.Tests) > 0 {
		report.good("cases of %d files", len(a.Tests))
	}
	for _, name := range keys(t.remote) {
		if err := t.remote[name].Refresh(ctx); err != nil {
			report.bad("keys of profile "+name, err, "let this machine reach the URL, or mend it; explain and refusals say keys_unavailable meanwhile")
			continue
		}
		status := t.remote[name].Status()
		report.good("keys of profile %s: %d usable", name, status.Keys)
		for _, d := range status.Dropped {
			report.warning("profile "+name+": a key of the set is not used: "+d.String(), "tokens that it signs are refused; tell the issuer")
		}
	}
}

// checkStore asks the store that the configuration names.
func (a *App) checkStore(ctx context.Context, report *checkReport) {
	var named struct {
		Backend string `json:"backend"`
	}
	_ = json.Unmarshal(a.StoreRaw, &named) // absent: the default store
	switch named.Backend {
	case "redis":
		a.checkRedis(ctx, report)
	case "", "bolt":
		a.checkBolt(report)
	default:
		report.good("store %s: nothing to look at", named.Backend)
	}
}

func (a *App) checkRedis(ctx context.Context, report *checkReport) {
	const remedy = "let this machine reach Redis, and give its user the rights that docs/operating.md lists"
	s := new(RedisStore)
	if err := json.Unmarshal(a.StoreRaw, s); err != nil {
		report.bad("store redis", err, "mend the store block")
		return
	}
	err := provision(func(c *checker) { c.redis(s) }, func(r *grammar.Replacer) { s.replace(r) })
	if err == nil {
		s.read, err = s.config()
	}
	if err != nil {
		report.bad("store redis", err, "mend the store block")
		return
	}
	opened, err := redis.New(s.read)
	if err != nil {
		report.bad("store redis", err, remedy)
		return
	}
	defer func() { _ = opened.Close() }()
	warnings, err := opened.Check(ctx)
	if err != nil {
		report.bad("store redis", err, remedy)
		return
	}
	report.good("store redis answers, and lets us do what we need")
	for _, w := range warnings {
		report.warning("redis "+w.Server+": "+w.Found, w.Remedy)
	}
	if skew, err := opened.ClockSkew(ctx); err == nil {
		report.good("clock: %s apart from Redis'", skew.Abs().Round(time.Millisecond))
	}
}

// checkBolt looks whether the file's directory can be written; the file itself may be
// held by the gateway that runs.
func (a *App) checkBolt(report *checkReport) {
	b := new(BoltStore)
	if len(a.StoreRaw) > 0 {
		if err := json.Unmarshal(a.StoreRaw, b); err != nil {
			report.bad("store bolt", err, "mend the store line")
			return
		}
	}
	if err := b.Provision(caddy.Context{}); err != nil {
		report.bad("store bolt", err, "mend the store line")
		return
	}
	dir := filepath.Dir(b.Path)
	for _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) && dir != filepath.Dir(dir); _, err = os.Stat(dir) {
		dir = filepath.Dir(dir) // it will be made
	}
	file, err := os.CreateTemp(dir, ".attest-check-*")
	if err != nil {
		report.bad("store bolt", err, "let the user that runs Caddy write to "+dir)
		return
	}
	_ = file.Close()
	_ = os.Remove(file.Name())
	report.good("store bolt: %s can be written", b.Path)
}
