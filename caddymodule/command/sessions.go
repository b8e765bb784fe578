package command

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// revokeSessions is `sessions revoke`: it counts first, and ends several only with
// --yes.
func revokeSessions() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke [<id>]",
		Short: "Ends one session, or all that the flags choose",
		Long: `Ends one session by its id, or all live sessions that the flags choose. Without
--yes it says how many that would be, and ends none.

A session that a proxied token stands for ends together with its token. Other
tokens stay good: to keep their bearers out, revoke the member, the organization or
the profile.`,
		Args: cobra.MaximumNArgs(1),
	}
	for _, f := range append([]flag{{"claim", "with this claim: name=value", "list"}, {"all", "every session", "bool"}}, filters...) {
		f.add(cmd)
	}
	cmd.Flags().Bool("yes", false, "end them")
	cmd.Flags().Bool("dry-run", false, "only count them")
	Run(cmd, runRevokeSessions)
	return cmd
}

// revocation is the body of the operation.
type revocation struct {
	SessionID    string            `json:"session_id,omitempty"`
	Organization string            `json:"organization,omitempty"`
	Member       string            `json:"member,omitempty"`
	Profile      string            `json:"profile,omitempty"`
	Issuer       string            `json:"issuer,omitempty"`
	Factor       string            `json:"factor,omitempty"`
	Claims       map[string]string `json:"claims,omitempty"`
	All          bool              `json:"all,omitempty"`
	DryRun       bool              `json:"dry_run,omitempty"`
}

func revocationOf(cmd *cobra.Command, args []string) (revocation, error) {
	text := func(name string) string { return cmd.Flags().Lookup(name).Value.String() }
	r := revocation{
		Organization: text("organization"), Member: text("member"), Profile: text("profile"), Issuer: text("issuer"), Factor: text("factor"),
		Claims: map[string]string{},
	}
	r.All, _ = cmd.Flags().GetBool("all")
	list, _ := cmd.Flags().GetStringArray("claim")
	for _, claim := range list {
		name, value, ok := strings.Cut(claim, "=")
		if !ok {
			return r, usagef("--claim takes name=value, not %q", claim)
		}
		r.Claims[name] = value
	}
	if len(args) == 1 {
		r.SessionID = args[0]
	}
	return r, nil
}

func runRevokeSessions(cmd *cobra.Command, args []string) error {
	r, err := revocationOf(cmd, args)
	if err != nil {
		return err
	}
	c, err := ask(cmd)
	if err != nil {
		return err
	}
	yes, _ := cmd.Flags().GetBool("yes")
	dry, _ := cmd.Flags().GetBool("dry-run")
	if r.DryRun = dry || !yes && r.SessionID == ""; r.DryRun {
		return count(cmd, c, r, dry)
	}
	answer, _, err := c.call(cmd.Context(), "POST", "/attest/sessions/revoke", r)
	if err != nil {
		return err
	}
	return output(revoked).print(cmd, answer, false)
}

// count says how many sessions would end. Unless that is all that was asked, it is a
// refusal.
func count(cmd *cobra.Command, c *client, r revocation, asked bool) error {
	answer, _, err := c.call(cmd.Context(), "POST", "/attest/sessions/revoke", r)
	if err != nil {
		return err
	}
	var n struct{ Matched int }
	if err := json.Unmarshal(answer, &n); err != nil {
		return err
	}
	if !asked {
		return &refusedError{"confirmation required", fmt.Sprintf("%d sessions would end; say --yes to end them", n.Matched)}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d sessions would end\n", n.Matched)
	return err
}
