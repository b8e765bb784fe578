package command

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/gateway/admin"
)

// Explain asks the running gateway about a token.
func Explain(cmd *cobra.Command, token, profile string) (admin.Explanation, error) {
	var e admin.Explanation
	c, err := ask(cmd)
	if err != nil {
		return e, err
	}
	answer, _, err := c.call(cmd.Context(), "POST", "/attest/explain", admin.TokenToExplain{Token: token, Profile: profile})
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(answer, &e)
}

// ProfileNames are the profiles of the running gateway.
func ProfileNames(cmd *cobra.Command) ([]string, error) {
	c, err := ask(cmd)
	if err != nil {
		return nil, err
	}
	answer, _, err := c.call(cmd.Context(), "GET", "/attest/profiles", nil)
	if err != nil {
		return nil, err
	}
	var list []struct{ Name string }
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return names, nil
}

// PrintExplanation prints an explanation, as JSON where --json is set.
func PrintExplanation(cmd *cobra.Command, e admin.Explanation) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		data, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", data)
		return err
	}
	writeExplanation(cmd.OutOrStdout(), e)
	return nil
}

func writeExplanation(w io.Writer, e admin.Explanation) {
	fmt.Fprintln(w, printable(e.Summary))
	for _, note := range e.Notes {
		fmt.Fprintf(w, "(%s)\n", note)
	}
	if e.Profile == "" {
		return
	}
	fmt.Fprintf(w, "profile %s\n", e.Profile)
	for _, c := range e.Checks {
		writeCheck(w, c)
	}
	for _, o := range e.Others {
		fmt.Fprintf(w, "profile %s was not selected: %s\n", o.Name, printable(o.Reason))
	}
	if len(e.Upstream) > 0 {
		if data, err := json.MarshalIndent(e.Upstream, "  ", "  "); err == nil {
			fmt.Fprintf(w, "an upstream would receive\n  %s\n", printableLines(string(data)))
		}
	}
	for _, text := range e.NotLookedAt {
		fmt.Fprintf(w, "not looked at: %s\n", text)
	}
}

// writeCheck prints one line, with what is needed to mend it below.
func writeCheck(w io.Writer, c admin.Check) {
	mark, code := "✓", ""
	switch {
	case c.Skipped:
		mark = "-"
	case !c.Passed:
		mark = "✗"
	}
	if c.Code != "" {
		code = " (" + c.Code + ")"
	}
	fmt.Fprintf(w, "  %s %s%s\n", mark, c.Name, code)
	for _, line := range [][2]string{{"configured:", c.Configured}, {"token:     ", c.Found}, {"left out:  ", c.Dropped}} {
		if line[1] != "" {
			fmt.Fprintf(w, "      %s %s\n", line[0], printable(line[1]))
		}
	}
	if !c.Passed && c.Remedy != "" {
		fmt.Fprintf(w, "      → %s\n", printable(c.Remedy))
	}
}
