package main

import (
	"bytes"
	"fmt"
	"html"
)

// drawn is a bar for each scenario: the limit dark, what the gateway takes beyond it light.
func drawn(results []result) []byte {
	const row, left, widest = 22, 290, 540.0
	unit := 90.0
	for _, r := range results {
		unit = min(unit, widest/r.Gateway.Median)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="%d" font-family="sans-serif" font-size="12">`+"\n", row*(len(results)+1))
	for i, r := range results {
		y := row * i
		fmt.Fprintf(&b, `<text x="0" y="%d">%s</text><rect x="%d" y="%d" width="%.0f" height="14" fill="#9bd"/><rect x="%d" y="%d" width="%.0f" height="14" fill="#357"/><text x="%.0f" y="%d">%.2f</text>`+"\n",
			y+14, html.EscapeString(r.Scenario), left, y+3, unit*r.Gateway.Median, left, y+3, unit*r.Limit.Median, left+unit*r.Gateway.Median+6, y+14, r.Gateway.Median)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">CPU × plain Caddy; dark: the least work</text></svg>`+"\n", left, row*len(results)+14)
	return b.Bytes()
}
