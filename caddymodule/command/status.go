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

// standing prints how a gateway and its fleet stand: what is wrong first.
func standing(w io.Writer, answer []byte) error {
	var s admin.Status
	if err := json.Unmarshal(answer, &s); err != nil {
		return err
	}
	if len(s.Degraded) == 0 {
		fmt.Fprintln(w, "nothing is degraded")
	}
	for _, p := range s.Degraded {
		fmt.Fprintln(w, printable(strings.Join(strings.Fields("degraded: "+p.Name+" "+p.Profile+" "+p.Detail), " ")))
	}
	fmt.Fprintf(w, "issuer %s, store %s, %d revocations not yet stored\n\n", printable(s.Issuer), printable(s.Store.Backend), s.Store.PendingRevocations)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tVERSION\tCONFIG\tSINCE\tSEEN\tKID\tWATCH LAG\tCLOCK\tLEVERS")
	for _, n := range s.Nodes {
		fmt.Fprintln(table, strings.Join(nodeCells(n), "\t"))
	}
	return table.Flush()
}

func nodeCells(n admin.Node) []string {
	id := n.ID
	if n.This {
		id += " (this)"
	}
	cells := []string{
		id, n.Version, n.Config, n.StartedAt.Format(time.RFC3339), n.SeenAt.Format(time.RFC3339), n.Key,
		inSeconds(n.WatchLag), inSeconds(n.ClockSkew), levers(n.Levers),
	}
	for i, c := range cells {
		cells[i] = printable(c)
	}
	return cells
}

func inSeconds(s *float64) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.3gs", *s)
}

func levers(l admin.Levers) string {
	var pulled []string
	if l.Frozen {
		pulled = append(pulled, "frozen")
	}
	for _, name := range l.Disabled {
		pulled = append(pulled, "disabled:"+name)
	}
	if l.NotBefore != nil {
		pulled = append(pulled, "revoked-before:"+l.NotBefore.Format(time.RFC3339))
	}
	if len(pulled) == 0 {
		return "-"
	}
	return strings.Join(pulled, ",")
}
