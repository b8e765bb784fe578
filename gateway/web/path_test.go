package web_test

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/web"
)

// dotSegments are spellings of /x/../admin and of /./admin, each of which some server has
// read so.
var dotSegments = []string{
	"/x/../admin", "/./admin", "/x/..", "/.", "/..", "..", "/x/%2e%2e/admin", "/x/%2E%2e/admin", "/x/.%2e/admin", "/x/%2e./admin",
	"/x/..;/admin", "/x/..;a=b/admin", "/x/.;/../admin", "/x/%2e%2e;/admin", "/x/..%3b/admin", "/x/%252e%252e/admin", "/x/%25%32%65%25%32%65/admin",
	"/x/..%2fadmin", "/x%2f..%2fadmin", "/x/..%5cadmin", `/x/..\admin`, `/x\..\admin`, "/x/%2e%2e%5cadmin", "/x/..%252fadmin", "/x/..%255cadmin",
	"/x/%c0%ae%c0%ae/admin", "/x/%c0%2e%c0%2e/admin", "/x/%e0%80%ae%e0%80%ae/admin", "/x/%f0%80%80%ae%f0%80%80%ae/admin", "/x/..%c0%af/admin", "/x/..%c1%9cadmin",
	"/x/%ef%bc%8e%ef%bc%8e/admin", "/x/．．/admin", "/x/..%ef%bc%8fadmin", "/x/‥/admin", "/x/%e2%80%a5/admin", "/x/․․/admin",
	"/x/..%00/admin", "/x/..%20/admin", "/x/%20../admin", "/x/..%09/admin", "/x/..%0a/admin", "/x/..%23/admin", "/x/..%3f/admin", "/x/..%3fa/admin",
	"/x/%u002e%u002e/admin", "/x/..%u2215admin", "/x/%u002e%u002e%u002fadmin",
}

// spelledTwice are other spellings of /admin or of what is below it.
var spelledTwice = []string{
	"/admin%2fx", "/admin%2Fx", "/a%5cb", `/a\b`, "/admin;x", "/admin;/x", "/admin%3bx", "/%2561dmin", "/%25u0061dmin", "/%u0061dmin", "/admin%u002fx",
	"/admin.", "/admin./x", "/admin%2e", "/admin%2e/x", "/admin%20", "/admin%20/x", "/admin%00", "/admin%00.js", "/admin%0a", "/admin%0d%0a", "/admin%7f", "/%09/admin",
	"/admin%ef%bc%8fx", "/admin／x", "/%c1%a1dmin", "/admin%c0%afx", "/admin%e0%80%afx", "/...", "/a.../b",
}

var honest = []string{
	"", "/", "*", "/a", "/a/b/", "//a", "/a//b", "/a.b", "/a..b", "/..a", "/.well-known/jwks.json", "/a/.b", "/v1.2/x", "/~user", "/a%20b", "/%61", "/J%C3%BCrgen", "/文档。/x", "/100%25",
	"/a:b@c", "/a=b&c,d", "/a%3ab", "/%e2%80%a6x", "/index.html", "/a-b_c", "/emoji/%f0%9f%98%80", "/a+b", "/%7Euser", "/café",
}

// A URL without a path is the empty path for whoever matches it, and is sent on as it came.
func TestURLsWithoutAPathAreRefused(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.URL = &url.URL{Scheme: "http", Opaque: "admin"}
	for _, strict := range []bool{false, true} {
		if err := web.CheckPaths(r, strict); !errors.Is(err, web.ErrNoPath) {
			t.Errorf("strict %t: %v", strict, err)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range dotSegments {
		for _, strict := range []bool{false, true} {
			if err := web.CheckPath(p, strict); !errors.Is(err, web.ErrDotSegment) && (!strict || !errors.Is(err, web.ErrTwoSpelled)) {
				t.Errorf("%q, strict %t: %v", p, strict, err)
			}
		}
	}
	for _, p := range spelledTwice {
		if err := web.CheckPath(p, true); !errors.Is(err, web.ErrTwoSpelled) {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range append(honest, "/@scope%2fname", "/a;v=1", "/group%2Fproject", "/a%5cb", "/...", "/file.") {
		if err := web.CheckPath(p, false); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range honest {
		if err := web.CheckPath(p, true); err != nil {
			t.Errorf("%q, strict: %v", p, err)
		}
	}
}

// The path as it was sent counts too, whatever a rewrite has made of it.
func TestCheckPathsLooksAtBoth(t *testing.T) {
	r := httptest.NewRequest("GET", "/a", nil)
	if err := web.CheckPaths(r, true); err != nil {
		t.Error(err)
	}
	if err := web.CheckPaths(web.WithOriginal(r, &url.URL{Path: "/x/..;/a"}), true); !errors.Is(err, web.ErrDotSegment) {
		t.Error(err)
	}
	if err := web.CheckPaths(httptest.NewRequest("GET", "/x/%2e%2e/a", nil), false); !errors.Is(err, web.ErrDotSegment) {
		t.Error(err)
	}
}

// What is accepted stays where it is for whoever decodes it twice and cleans it.
func FuzzLawAcceptedPathIsClean(f *testing.F) {
	for _, p := range append(append(append([]string{}, dotSegments...), spelledTwice...), honest...) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		lax, strict := web.CheckPath(p, false), web.CheckPath(p, true)
		if lax != nil && strict == nil {
			t.Fatalf("%q is refused, and strictly it is not", p)
		}
		if lax != nil {
			return
		}
		for text := p; ; {
			for _, reading := range []string{text, strings.ReplaceAll(text, `\`, "/")} {
				plain := "/" + strings.Trim(reading, "/")
				for strings.Contains(plain, "//") {
					plain = strings.ReplaceAll(plain, "//", "/")
				}
				if cleaned := path.Clean(plain); cleaned != plain {
					t.Fatalf("%q is accepted, and %q is read as %q", p, plain, cleaned)
				}
			}
			next, err := url.PathUnescape(text)
			if err != nil || next == text || text != p {
				return
			}
			text = next
		}
	})
}

func BenchmarkCheckPathPlain(b *testing.B) {
	for b.Loop() {
		_ = web.CheckPath("/api/v1/accounts/42/transfers.json", true)
	}
}
