package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// An output prints an answer for people; nil prints it as it came.
type output func(w io.Writer, answer []byte) error

// columns prints a list as a table of some of its members.
func columns(names ...string) output {
	return func(w io.Writer, answer []byte) error {
		var list []map[string]any
		if err := json.Unmarshal(answer, &list); err != nil {
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.ToUpper(strings.Join(names, "\t")))
		for _, row := range list {
			cells := make([]string, len(names))
			for i, name := range names {
				cells[i] = cell(row[name])
			}
			fmt.Fprintln(table, strings.Join(cells, "\t"))
		}
		return table.Flush()
	}
}

// cell is a value in one line, without control characters: ids and names may come
// from tokens.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return printable(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = cell(item)
		}
		if len(parts) == 0 {
			return "-"
		}
		return strings.Join(parts, ",")
	case map[string]any:
		if name, ok := v["profile"].(string); ok {
			return printable(name)
		}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "-"
	}
	return printable(string(data))
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x200b <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return '�'
		}
		return r
	}, text)
}

// text prints the member "text" of an answer.
func text(w io.Writer, answer []byte) error {
	var t struct{ Text string }
	if err := json.Unmarshal(answer, &t); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, strings.TrimSuffix(t.Text, "\n"))
	return err
}

// revoked prints how many sessions have ended.
func revoked(w io.Writer, answer []byte) error {
	var n struct{ Matched, Revoked int }
	if err := json.Unmarshal(answer, &n); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d sessions were chosen, and %d have ended\n", n.Matched, n.Revoked)
	return err
}
