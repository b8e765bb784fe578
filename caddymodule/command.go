package caddymodule

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "attest",
		Short: "Mints tokens for trying things out, and explains why a token is refused",
		Long: `
Tools around the attest app.

  caddy attest mint     signs a token for a dev profile
  caddy attest explain  says what every check of a profile makes of a token
`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(mintCommand(), explainCommand())
		},
	})
}
