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

// why prints a refusal: what, where, and the checks up to the one that failed.
func why(w io.Writer, answer []byte) error {
	var r struct {
		ID, Time, Host, Method, Path, Code, Reason, Message, Profile string
		Status                                                       int
		Client                                                       string `json:"client_ip"`
		Token                                                        map[string]string
		Checks                                                       []struct {
			Check, Code, Configured, Found, Remedy string
			Passed                                 bool
		}
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d %s (%s): %s\n", r.Status, r.Code, r.Reason, r.Message)
	fmt.Fprintf(w, "%s %s %s%s from %s\n", r.Time, r.Method, printable(r.Host), printable(r.Path), r.Client)
	for _, name := range []string{"alg", "kid", "typ", "iss", "aud", "iat", "nbf", "exp"} {
		if text := r.Token[name]; text != "" {
			fmt.Fprintf(w, "  token %s: %s\n", name, printable(text))
		}
	}
	if r.Profile != "" {
		fmt.Fprintf(w, "profile %s\n", r.Profile)
	}
	for _, c := range r.Checks {
		if c.Passed {
			fmt.Fprintf(w, "  ✓ %s\n", c.Check)
			continue
		}
		fmt.Fprintf(w, "  ✗ %s (%s)\n", c.Check, c.Code)
		for _, line := range [][2]string{{"configured:", c.Configured}, {"token:     ", c.Found}, {"→", c.Remedy}} {
			if line[1] != "" {
				fmt.Fprintf(w, "      %s %s\n", line[0], printable(line[1]))
			}
		}
	}
	return nil
}
