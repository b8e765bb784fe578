// Command caddy is Caddy with Attest built in: what xcaddy would build, for
// machines that have only Go.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/attestgate/caddy-attest"
)

func main() { caddycmd.Main() }
