package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/attestgate/caddy-attest/gateway/admin"
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

func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x200b <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return '�'
		}
		return r
	}, text)
}

// why prints a refusal: what, where, and the checks up to the one that failed.
func why(w io.Writer, answer []byte) error {
	var r admin.Refusal
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d %s (%s): %s\n", r.Status, r.Code, r.Reason, r.Message)
	fmt.Fprintf(w, "%s %s %s%s from %s\n", r.Time.Format(time.RFC3339), r.Method, printable(r.Host), printable(r.Path), r.Client)
	if t := r.Token; t != nil {
		for _, line := range [][2]string{
			{"alg", t.Algorithm}, {"kid", t.KeyID}, {"typ", t.Type}, {"iss", t.Issuer}, {"aud", t.Audience},
			{"iat", t.IssuedAt}, {"nbf", t.NotBefore}, {"exp", t.ExpireAt},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "  token %s: %s\n", line[0], printable(line[1]))
			}
		}
	}
	if r.Profile != "" {
		fmt.Fprintf(w, "profile %s\n", r.Profile)
	}
	for _, c := range r.Checks {
		writeCheck(w, c)
	}
	return nil
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
