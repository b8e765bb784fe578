package caddymodule

import (
	"fmt"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/gateway/admin"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "attest",
		Short: "Looks at a gateway and operates it, mints tokens for trying things out, explains refusals",
		Long: `
Tools around the attest app. mint, check, test, reference, store and explain --config need no running gateway; the
others ask one through Caddy's admin endpoint.

Exit status: 0 done, 1 refused, 2 used wrongly, 3 the gateway does not answer.
`,
		CobraFunc: func(cmd *cobra.Command) {
			command.Flags(cmd)
			verbs := append(command.Commands(), mintCommand(), explainCommand(), testCommand(), checkCommand(), presetCommand(), storeCommand(), referenceCommand())
			command.Group(cmd, verbs...)
		},
	})
}

func referenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reference [<word>]",
		Short: "Prints the configuration language, or the lines of one word",
		Args:  cobra.MaximumNArgs(1),
	}
	command.Run(cmd, func(_ *cobra.Command, args []string) error {
		word := strings.Join(args, "")
		text := admin.ReferenceOf(Reference(), word)
		if text == "" {
			return fmt.Errorf("the configuration language has no word %q", word)
		}
		fmt.Println(strings.TrimSuffix(text, "\n"))
		return nil
	})
	return cmd
}
