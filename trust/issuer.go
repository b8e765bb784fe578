package trust

import (
	"errors"
	"slices"
	"strings"
)

const (
	maxIssuer  = 2048
	maxCapture = 64
)

// issuer is one value of Config.Issuers: literal texts with captures between
// them.
type issuer struct {
	text string
	// literals has one more entry than captures; they alternate, literal first.
	literals []string
	captures []string
}

func parseIssuer(text string) (issuer, error) {
	if text == "" || len(text) > maxIssuer || hasControl(text) {
		return issuer{}, errors.New("must have 1 to 2048 characters and no control characters")
	}
	i := issuer{text: text}
	for rest := text; ; {
		literal, after, found := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return issuer{}, errors.New("has a } without {")
		}
		i.literals = append(i.literals, literal)
		if !found {
			return i, i.check()
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return issuer{}, errors.New("has a { without }")
		}
		i.captures = append(i.captures, name)
		rest = next
	}
}

func (i issuer) check() error {
	for n, name := range i.captures {
		if !validName(name) {
			return errors.New("a capture is named by a–z 0–9 _ and -")
		}
		if slices.Contains(i.captures[:n], name) {
			return errors.New("has a capture twice")
		}
		// Where a capture ends must not be a matter of choice.
		if next := i.literals[n+1]; next == "" && n+1 < len(i.captures) || next != "" && inCapture(next[0]) {
			return errors.New("a capture must be followed by the end or by another character than A–Z a–z 0–9 -")
		}
	}
	return nil
}

// match tells whether iss is this issuer, and what was captured: nil where
// there is nothing to.
func (i issuer) match(iss string) (captured map[string]string, ok bool) {
	if len(i.captures) == 0 {
		return nil, iss == i.text
	}
	rest, ok := strings.CutPrefix(iss, i.literals[0])
	captured = make(map[string]string, len(i.captures))
	for n, name := range i.captures {
		if !ok {
			return nil, false
		}
		end := captureEnd(rest)
		if end == 0 || end > maxCapture {
			return nil, false
		}
		captured[name] = rest[:end]
		rest, ok = strings.CutPrefix(rest[end:], i.literals[n+1])
	}
	return captured, ok && rest == ""
}

func captureEnd(text string) int {
	for n := range len(text) {
		if !inCapture(text[n]) {
			return n
		}
	}
	return len(text)
}

func inCapture(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}
