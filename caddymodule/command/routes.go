package command

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/gateway/admin"
)

// routes is `routes`: where requests are admitted, and with --diff what has changed.
func routes() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "routes [--diff <old.json>]",
		Short: "Where requests are admitted, by which profiles, and what upstreams receive",
		Long: `Prints where requests are admitted, by which profiles, with which upstreams behind,
and the ways to upstreams on which nobody is admitted.

With --diff it compares with an earlier output of 'routes --json' and says in words who
gains or loses access. The exit status is then 1 if anybody gains any: a review of a
configuration can be made to stop there.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().String("diff", "", "an earlier output of routes --json")
	Run(cmd, func(cmd *cobra.Command, _ []string) error {
		c, err := ask(cmd)
		if err != nil {
			return err
		}
		answer, _, err := c.call(cmd.Context(), "GET", "/attest/routes", nil)
		if err != nil {
			return err
		}
		if old, _ := cmd.Flags().GetString("diff"); old != "" {
			return diffRoutes(cmd, old, answer)
		}
		return columns("sites", "profiles", "require", "anonymous", "header", "upstreams", "source").print(cmd, answer, false)
	})
	return cmd
}

func diffRoutes(cmd *cobra.Command, path string, answer []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return usagef("%v", err)
	}
	var before, after []admin.Route
	if err := json.Unmarshal(data, &before); err != nil {
		return usagef("%s is no output of routes --json: %v", path, err)
	}
	if err := json.Unmarshal(answer, &after); err != nil {
		return err
	}
	gained, lost := changedAccess(accessOf(before), accessOf(after)), changedAccess(accessOf(after), accessOf(before))
	for _, a := range gained {
		fmt.Fprintf(cmd.OutOrStdout(), "+ %s now reaches %s\n", a.who, a.where)
	}
	for _, a := range lost {
		fmt.Fprintf(cmd.OutOrStdout(), "- %s no longer reaches %s\n", a.who, a.where)
	}
	if len(gained) > 0 {
		return &refusedError{"access gained", fmt.Sprintf("%d more ways than before", len(gained))}
	}
	return nil
}

// access is that somebody reaches something.
type access struct{ who, where string }

// accessOf are the ways of routes: each profile, and anybody where requests pass
// without identity, to each upstream at each place.
func accessOf(routes []admin.Route) map[access]bool {
	all := map[access]bool{}
	for _, r := range routes {
		var who []string
		if !r.Off {
			for _, profile := range r.Profiles {
				who = append(who, strings.Join(append([]string{"a session of profile " + profile}, r.Require...), " with "))
			}
		}
		if r.Anonymous {
			who = append(who, "anybody, without identity,")
		}
		for _, w := range who {
			for _, where := range places(r) {
				all[access{w, printable(where)}] = true
			}
		}
	}
	return all
}

// places are the upstreams of a route at each of its sites; a route without either is
// named by its audience.
func places(r admin.Route) []string {
	sites, upstreams := r.Sites, r.Upstreams
	if len(sites) == 0 {
		sites = []string{"a handler for " + strings.Join(r.Audience, ", ")}
	}
	if len(upstreams) == 0 {
		return sites
	}
	var list []string
	for _, site := range sites {
		for _, upstream := range upstreams {
			list = append(list, upstream+" by "+site)
		}
	}
	return list
}

// changedAccess is what is in after and not in before, in order.
func changedAccess(before, after map[access]bool) []access {
	var list []access
	for a := range after {
		if !before[a] {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b access) int { return strings.Compare(a.where+a.who, b.where+b.who) })
	return list
}
