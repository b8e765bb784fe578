// Package grammar reads options and directives of a Caddyfile from tables, and
// answers every mistake with file, line and the words that are allowed.
//
// A [Block] lists the kinds of lines that a block may hold; most of them are made
// by one of the constructors ([Text], [Flag], [Duration], [Sub] …):
//
//	var cookie = grammar.Block[Cookie]{Name: "cookie", Lines: []grammar.Line[Cookie]{
//		grammar.Text("domain", "<domain>", "for every host below it", func(c *Cookie) *string { return &c.Domain }),
//		grammar.Flag("secure", "over TLS only", func(c *Cookie) *bool { return &c.Secure }),
//	}}
//
//	func (c *Cookie) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
//		r := grammar.NewReader(d, grammar.Place{"cookie"}, "")
//		return cookie.Read(r, c)
//	}
//
// From the same table [Describe] prints the reference, so that parser, errors and
// manual cannot differ.
//
// What only the whole can tell is a rule over values: a [Checker] collects
// [Problem]s, each with its [Place] in the words of the Caddyfile, and
// [Reader.Locate] finds the line of a place again. Placeholders of the operator's
// ({env.NAME}, {file.PATH}) are left alone by a Checker until a [Replacer] has
// replaced them.
package grammar
