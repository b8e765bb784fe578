package admin

import (
	"cmp"
	"strings"
)

// A Route is a place of the configuration where requests are admitted, or passed on
// without identity.
type Route struct {
	// Sites are the listeners, hosts and matchers that lead to the upstreams.
	Sites []string `json:"sites,omitempty"`
	// Source is the file and line of the attest.
	Source string `json:"source,omitempty"`
	// Profiles admit; "any" is every profile.
	Profiles []string `json:"profiles"`
	// Require is what a session must have, as the configuration writes it.
	Require []string `json:"require,omitempty"`
	// Off admits nobody and refuses nobody; without Source no attest is on the way.
	Off bool `json:"off,omitempty"`
	// Observe is Off, and records what would be decided by the profiles.
	Observe bool `json:"observe,omitempty"`
	// Anonymous tells that requests without a credential pass.
	Anonymous bool     `json:"anonymous"`
	Audience  []string `json:"audience,omitempty"`
	// Header is where the upstream receives the JWT.
	Header    string   `json:"header,omitempty"`
	Template  string   `json:"template,omitempty"`
	Upstreams []string `json:"upstreams,omitempty"`
}

func (a *Admin) routes(*call) (any, error) {
	if a.Config.Routes == nil {
		return []Route{}, nil
	}
	return a.Config.Routes, nil
}

// A ReferenceText is the configuration language, or the part of it that has a word.
type ReferenceText struct {
	Text string `json:"text"`
}

func (a *Admin) reference(c *call) (any, error) {
	word := c.query("word")
	text := ReferenceOf(a.Config.Reference, word)
	if text == "" {
		return nil, notFound("the configuration language has no word " + cmp.Or(word, "of that name"))
	}
	return ReferenceText{text}, nil
}

// ReferenceOf is the part of a reference about one word: its line, and the block below
// it. Without a word it is all of it.
func ReferenceOf(reference, word string) string {
	if word == "" {
		return reference
	}
	var out []string
	depth := -1
	for _, line := range strings.Split(reference, "\n") {
		text := strings.TrimLeft(line, "\t")
		indent := len(line) - len(text)
		switch {
		case depth >= 0 && (indent > depth || text == "}" && indent == depth):
			out = append(out, line[min(depth, len(line)):])
			if indent == depth {
				depth = -1
			}
		case firstWord(text) == word:
			out = append(out, text)
			if depth = -1; strings.Contains(text, "{") && !strings.Contains(text, "}") {
				depth = indent
			}
		}
	}
	return strings.Join(out, "\n")
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}
