package web

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The paths that CheckPath refuses. None holds the path.
var (
	ErrDotSegment = errors.New("the path has a segment that some servers read as . or ..")
	ErrNoPath     = errors.New("the request has a URL without a path, and some servers read one into it")
	ErrTwoSpelled = errors.New("the path holds characters that some servers read otherwise: an encoded slash, backslash or percent sign, a control character, a semicolon, or a dot or space at the end of a segment")
)

// CheckPath refuses a path as it was sent that another server may read as another path, so
// that the route which decides would not be the one of what is served. A dot segment is
// refused in any disguise. Strict also refuses what may name another segment: it is for
// routes that admit with less than others that lead to the same place.
func CheckPath(raw string, strict bool) error {
	if isPlain(raw) {
		return nil
	}
	text := raw
	for level := range 3 { // as it stands, decoded, and decoded twice
		if hasDotSegment(text) || hasDotSegment(fold(text)) {
			return ErrDotSegment
		}
		if strict && level < 2 && isSpelledTwice(text) {
			return ErrTwoSpelled
		}
		text = unescape(text)
	}
	return nil
}

// isPlain tells the paths of nearly all requests, in which nothing can be hidden.
func isPlain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '.':
			if i == 0 || path[i-1] == '/' || i+1 == len(path) || path[i+1] == '/' {
				return false
			}
		case c <= ' ' || c >= 0x7f || c == '%' || c == '\\' || c == ';':
			return false
		}
	}
	return true
}

// hasDotSegment cuts parameters, and what a server may take for the end of the path.
func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if i := strings.IndexAny(segment, ";?#\x00"); i >= 0 {
			segment = segment[:i]
		}
		if segment = strings.Trim(segment, " \t\r\n\v\f"); segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// isSpelledTwice is what strict refuses, of a path as it stands or decoded.
func isSpelledTwice(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
			return true
		}
	}
	lower := strings.ToLower(path)
	for _, sign := range []string{"%2f", "%5c", "%25", "%u", "\\", ";"} {
		if strings.Contains(lower, sign) && (sign != "%25" || encodesPercent(lower)) {
			return true
		}
	}
	return strings.Count(fold(path), "/") > strings.Count(path, "/") || shortened(path) != path ||
		strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// encodesPercent tells a percent sign before what would be an escape.
func encodesPercent(lower string) bool {
	for rest := lower; ; {
		_, after, found := strings.Cut(rest, "%25")
		if !found {
			return false
		}
		if len(after) > 0 && isHex(after[0]) || strings.HasPrefix(after, "u") {
			return true
		}
		rest = after
	}
}

// unescape decodes percent signs before two hexadecimal digits, or u and four (as IIS does),
// and leaves others as they stand.
func unescape(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] != '%':
			b.WriteByte(path[i])
		case i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			b.WriteByte(unhex(path[i+1])<<4 | unhex(path[i+2]))
			i += 2
		case i+5 < len(path) && path[i+1]|0x20 == 'u' && isHex(path[i+2]) && isHex(path[i+3]) && isHex(path[i+4]) && isHex(path[i+5]):
			b.WriteRune(rune(unhex(path[i+2]))<<12 | rune(unhex(path[i+3]))<<8 | rune(unhex(path[i+4]))<<4 | rune(unhex(path[i+5])))
			i += 5
		default:
			b.WriteByte('%')
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// compatible are characters that a normal form makes dots and slashes of (Unicode NFKC).
var compatible = strings.NewReplacer(
	"\uff0f", "/", "\u2044", "/", "\u2215", "/", "\uff3c", "/", "\ufe68", "/", "\\", "/",
	"\uff0e", ".", "\ufe52", ".", "\u2024", ".", "\u2025", "..", "\u2026", "...", "\u3002", ".", "\uff61", ".",
)

// fold makes of a path what servers make of it that take backslashes for slashes, normalize
// Unicode, or read UTF-8 that is longer than it need be.
func fold(path string) string {
	if strings.IndexFunc(path, func(r rune) bool { return r >= 0x80 || r == '\\' }) < 0 {
		return path
	}
	return compatible.Replace(shortened(path))
}

// shortened reads overlong UTF-8 (RFC 3629 §3 forbids it, and some decoders take it).
func shortened(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); {
		if r, size := utf8.DecodeRuneInString(path[i:]); r != utf8.RuneError || size > 1 {
			b.WriteString(path[i : i+size])
			i += size
			continue
		}
		r, size := overlong(path[i:])
		if size == 0 {
			b.WriteByte(path[i])
			i++
			continue
		}
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

// overlong reads a character of up to four bytes of which fewer would do; size 0: none. Some
// decoders do not even look whether the second byte of two continues the first.
func overlong(text string) (r rune, size int) {
	switch lead := text[0]; {
	case lead == 0xc0 && len(text) > 1 && (text[1] == '.' || text[1] == '/'):
		return rune(text[1]), 2
	case lead == 0xc0 || lead == 0xc1:
		r, size = rune(lead&0x1f), 2
	case lead == 0xe0:
		size = 3
	case lead == 0xf0:
		size = 4
	default:
		return 0, 0
	}
	if len(text) < size {
		return 0, 0
	}
	for i := 1; i < size; i++ {
		if text[i]&0xc0 != 0x80 {
			return 0, 0
		}
		r = r<<6 | rune(text[i]&0x3f)
	}
	return r, size
}

// Overrides are headers by which some servers take another path or method than the
// request's.
var Overrides = []string{"X-Original-Url", "X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override"}

// CheckPaths is CheckPath of the request, as it is and as it was sent.
func CheckPaths(r *http.Request, strict bool) error {
	sent := original(r)
	if sent.Opaque+r.URL.Opaque != "" { // GET http:admin, of which matchers see nothing
		return ErrNoPath
	}
	if sent != r.URL {
		if err := CheckPath(sent.EscapedPath(), strict); err != nil {
			return err
		}
	}
	return CheckPath(r.URL.EscapedPath(), strict)
}
