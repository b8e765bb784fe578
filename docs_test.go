package attest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// markdown is the files that people read, by path.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Skipf("not a checkout: %v", err)
	}
	texts := map[string]string{}
	for path := range strings.FieldsSeq(string(out)) {
		if _, err := os.Stat(path); err == nil {
			texts[path] = readText(t, path)
		}
	}
	return texts
}

// prose is a text without its code blocks.
func prose(text string) string {
	var out strings.Builder
	code := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
			line = "\n"
		}
		if code {
			line = "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// Prose is wrapped, so that a change of one sentence is a change of one line. Tables and
// lines that are one link cannot be.
func TestMarkdownIsWrapped(t *testing.T) {
	for path, text := range markdown(t) {
		if path == "CHANGELOG.md" {
			continue // many write it at once
		}
		for n, line := range strings.Split(prose(text), "\n") {
			if len([]rune(line)) > 100 && !strings.HasPrefix(strings.TrimSpace(line), "|") && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s:%d: longer than 100 columns", path, n+1)
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#{1,6} (.+)$")
	anchor  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

// anchors are the places of a page that a link can name, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(prose(text), -1) {
		found[slug(match[1])] = true
	}
	for _, match := range anchor.FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	return found
}

func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, link.ReplaceAllString(heading, ""))
}

// Every link to a file or a heading leads there.
func TestLinksLeadSomewhere(t *testing.T) {
	texts := markdown(t)
	for path, text := range texts {
		for _, match := range link.FindAllStringSubmatch(prose(text), -1) {
			target, place, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") {
				continue
			}
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %s leads nowhere", path, match[1])
			} else if place != "" && strings.HasSuffix(file, ".md") && !anchors(texts[file])[place] {
				t.Errorf("%s: %s: no such heading", path, match[1])
			}
		}
	}
}

// Every page is found from the README, directly or over one other page.
func TestEveryPageIsFound(t *testing.T) {
	texts := markdown(t)
	found := map[string]bool{"README.md": true, "CHANGELOG.md": true, "SECURITY.md": true}
	follow := func(path string) (targets []string) {
		for _, match := range link.FindAllStringSubmatch(texts[path], -1) {
			target, _, _ := strings.Cut(match[1], "#")
			targets = append(targets, filepath.Join(filepath.Dir(path), target))
		}
		return targets
	}
	for _, near := range follow("README.md") {
		found[near] = true
		for _, far := range follow(near) {
			found[far] = true
		}
	}
	for path := range texts {
		if !found[path] && !strings.HasPrefix(path, ".github/") && !strings.HasPrefix(path, "testdata/") {
			t.Errorf("nothing leads to %s", path)
		}
	}
}

// The README is read in one sitting.
func TestReadmeIsShort(t *testing.T) {
	if n := len(strings.Fields(readText(t, "README.md"))); n > 900 {
		t.Errorf("%d words, at most 900", n)
	}
}
