package caddymodule

import "github.com/attestgate/caddy-attest/caddymodule/grammar"

// A manual prints the grammar of one option or directive, with or without what each
// line is for.
type manual func(help bool) string

func manualOf(name, args string, block grammar.Section) manual {
	return func(help bool) string { return grammar.Describe(name, args, block, help) }
}

var (
	globalManual  = manualOf("attest", "", globalBlock)
	routeManual   = manualOf("attest", attestArgs, attestBlock)
	apiManual     = manualOf("attest_api", "", apiBlock)
	verifyManual  = manualOf("attest_verify", verifyArgs, verifyBlock)
	deskManual    = manualOf("attest_desk", "", deskBlock)
	matcherManual = manualOf("@<name>", "", matcherBlock)
)

// Reference is the configuration language: the global block, then the directives.
func Reference() string {
	text := ""
	for i, m := range []manual{globalManual, routeManual, apiManual, verifyManual, deskManual, matcherManual} {
		if i > 0 {
			text += "\n"
		}
		text += m(true)
	}
	return text
}
