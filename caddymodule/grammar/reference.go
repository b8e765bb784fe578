package grammar

import (
	"fmt"
	"strings"
)

// Rows is a block whose lines begin with words of the operator's own.
type Rows struct{ Args, Help string }

// describe prints the one kind of line there is.
func (l Rows) describe(out *description, depth int) { out.line(depth, "", l.Args, l.Help, nil) }

// A description is the reference of the configuration language as it grows.
type description struct {
	text strings.Builder
	help bool // print what each line is for
}

// line prints one kind of line and, below it, its block.
func (d *description) line(depth int, name, args, help string, block Section) {
	text := usage(name, args)
	if block != nil {
		text += " {"
	}
	text = strings.Repeat("\t", depth) + text
	if d.help && help != "" {
		text = fmt.Sprintf("%-*s # %s", 68-7*depth, text, help)
	}
	d.text.WriteString(text + "\n")
	if block != nil {
		block.describe(d, depth+1)
		d.text.WriteString(strings.Repeat("\t", depth) + "}\n")
	}
}

// Describe prints the reference of one option or directive, with or without what
// each line is for.
func Describe(name, args string, block Section, help bool) string {
	d := description{help: help}
	d.line(0, name, args, "", block)
	return d.text.String()
}
