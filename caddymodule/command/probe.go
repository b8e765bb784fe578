package command

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// probe is `probe`: what an app takes.
func probe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe <upstream-url> [--audience <aud>]... [--header <name>]",
		Short: "Sends an app good and bad JWTs, and says what it takes",
		Long: `Sends an app, past the gateway, GET requests without a JWT, with one of another signature,
without signature, for another audience, expired, with headers that name an admin, and for
comparison with a good one of a made-up member, which lives for a minute and is written to
the audit log. It says what the app accepts and should not.

The URL is one that needs a JWT. The exit status is 1 if the app takes anything but the good
JWT, or not that.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringArray("audience", nil, "the aud of the JWT (default: that of the route with this upstream)")
	cmd.Flags().String("header", "", "the header of the JWT (default: that of the route with this upstream)")
	Run(cmd, runProbe)
	return cmd
}

func runProbe(cmd *cobra.Command, args []string) error {
	c, err := ask(cmd)
	if err != nil {
		return err
	}
	audience, _ := cmd.Flags().GetStringArray("audience")
	header, _ := cmd.Flags().GetString("header")
	answer, _, err := c.call(cmd.Context(), "POST", "/attest/probe", map[string]any{"url": args[0], "audience": audience, "header": header})
	if err != nil {
		return err
	}
	var result struct {
		Good    bool
		Summary string
		Tries   []struct {
			Name, Says, Error string
			Status            int
			Accepted, Should  bool
		}
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		fmt.Fprintln(cmd.OutOrStdout(), string(answer))
	} else {
		fmt.Fprintln(cmd.OutOrStdout(), printable(result.Summary))
		for _, t := range result.Tries {
			mark, did := "✓", "refused"
			if t.Accepted {
				did = "accepted"
			}
			if t.Accepted != t.Should {
				mark = "✗"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "  %s %-40s %d %s %s\n", mark, t.Name, t.Status, did, t.Error)
			if t.Says != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "      → %s\n", t.Says)
			}
		}
	}
	if !result.Good {
		return &refusedError{"probe", "the app does not take the good JWT alone"}
	}
	return nil
}
