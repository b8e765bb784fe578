package command

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

// Commands are all commands that ask a running gateway. Their flags --address,
// --config, --adapter and --json are to be persistent ones of the command that holds
// them; see Flags.
func Commands() []*cobra.Command {
	list := []*cobra.Command{
		(verb{use: "status", short: "How the gateway stands, and every gateway on its store", method: "GET", path: "/attest/status", out: standing}).command(),
		(verb{use: "health", short: "Whether the gateway serves", method: "GET", path: "/attest/health"}).command(),
		(verb{use: "why <id>", short: "Says why a request was refused, by the id in its Attest-Error header", method: "GET", path: "/attest/refusals/%s", out: why}).command(),
		(verb{use: "refusals", short: "Lists the latest refused requests, the newest first", method: "GET", path: "/attest/refusals",
			out:   columns("time", "id", "client_ip", "host", "path", "profile", "code", "reason"),
			query: []flag{{"code", "with this code", ""}, {"profile", "of this profile", ""}, limit}}).command(),
		routes(),
		probe(),
	}
	table := nouns()
	for _, noun := range slices.Sorted(maps.Keys(table)) {
		group := &cobra.Command{Use: noun, Short: nounHelp[noun]}
		var verbs []*cobra.Command
		for _, v := range table[noun] {
			verbs = append(verbs, v.command())
		}
		if noun == "sessions" {
			verbs = append(verbs, revokeSessions())
		}
		list = append(list, Group(group, verbs...))
	}
	return list
}

// Flags adds the flags that every command takes.
func Flags(cmd *cobra.Command) {
	cmd.PersistentFlags().String("address", "", "the admin address of the gateway: host:port or unix//path (default: that of --config, else localhost:2019)")
	cmd.PersistentFlags().String("config", "", "the configuration file that names the admin address")
	cmd.PersistentFlags().String("adapter", "", "the adapter of the configuration file")
	cmd.PersistentFlags().Bool("json", false, "print the answer as JSON")
}
