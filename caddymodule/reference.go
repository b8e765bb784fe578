package caddymodule

import (
	"fmt"
	"strings"
)

// lines is a block whose lines begin with words of the operator's own.
type lines struct{ args, help string }

// describe prints the one kind of line there is.
func (l lines) describe(out *description, depth int) { out.line(depth, "", l.args, l.help, nil) }

// A description is the reference of the configuration language as it grows.
type description struct {
	text strings.Builder
	help bool // print what each line is for
}

// line prints one kind of line and, below it, its block.
func (d *description) line(depth int, name, args, help string, block section) {
	text := strings.TrimSpace(name + " " + args)
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

// describe prints the reference of one option or directive.
func describe(name, args string, block section, help bool) string {
	d := description{help: help}
	d.line(0, name, args, "", block)
	return d.text.String()
}
