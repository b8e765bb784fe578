package gateway_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func TestAPIKeysAndMetadataAreOpenToAnyPage(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
		"/v1/b2b/sessions/jwks/" + project, "/v1/sessions/jwks/" + project,
	} {
		bodies := map[string]string{}
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			r := request(method, path, "")
			r.Header.Set("Origin", "https://any.test")
			rec := w.answerOf(r)
			want := map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204}[method]
			if got := rec.Header().Get("Access-Control-Allow-Origin"); rec.Code != want || got != "*" {
				t.Errorf("%s %s: %d, Access-Control-Allow-Origin %q", method, path, rec.Code, got)
			}
			if method != "OPTIONS" && rec.Header().Get("Cache-Control") != "public, max-age=300" {
				t.Errorf("%s %s: %v", method, path, rec.Header())
			}
			bodies[method] = rec.Body.String()
			if method == "GET" {
				described(t, r, rec)
			}
		}
		if bodies["GET"] == "" || bodies["HEAD"]+bodies["OPTIONS"] != "" {
			t.Errorf("%s: bodies %q", path, bodies)
		}
	}
}

func TestAPICallsAreClosedToPagesAndNotKept(t *testing.T) {
	w := newWorld(t)
	for pattern, methods := range w.api.Routes() {
		path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(pattern, "x")
		if strings.Contains(path, ".well-known") || strings.Contains(path, "jwks") {
			continue
		}
		for _, method := range append(methods, "OPTIONS") {
			r := request(method, path, `{}`)
			r.Header.Set("Origin", "https://any.test")
			rec := w.answerOf(r)
			if got := rec.Header(); got.Get("Access-Control-Allow-Origin") != "" || got.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v", method, path, rec.Code, got)
			}
			if method == "OPTIONS" && rec.Code != 405 {
				t.Errorf("OPTIONS %s: %d", path, rec.Code)
			}
		}
	}
}

func TestAPIMetadataSaysWhatIsSo(t *testing.T) {
	for name, row := range map[string]struct{ issuer, openid, server, keys string }{
		"plain": {"https://gateway.test", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "https://gateway.test/.well-known/jwks.json"},
		"with a path": {
			"https://gateway.test:8443/a/b", "/a/b/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/a/b",
			"https://gateway.test:8443/.well-known/jwks.json",
		},
		"with a path that looks like a pattern": {
			"https://gateway.test/%7Ba", "/%7Ba/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/%7Ba",
			"https://gateway.test/.well-known/jwks.json",
		},
	} {
		w := newWorld(t, func(s *setup) { s.gateway.Core.Issuer = row.issuer })
		for _, path := range []string{row.openid, row.server} {
			status, answer := w.send(request("GET", path, ""))
			if status != 200 {
				t.Errorf("%s: %s: %d", name, path, status)
			}
			is(t, answer, "issuer", row.issuer)
			is(t, answer, "jwks_uri", row.keys)
			is(t, answer, "id_token_signing_alg_values_supported", []any{"ES256"})
			is(t, answer, "subject_types_supported", []any{"public"})
			if len(answer) != 5 {
				t.Errorf("%s: %v says more than there is", name, answer)
			}
		}
	}
}

func TestAPIMetadataNeedsAnIssuerThatIsAURL(t *testing.T) {
	w := newWorld(t, compat)
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		if w.api.Serve(httptest.NewRecorder(), request("GET", path, "")) {
			t.Errorf("%s is answered for an issuer that is no URL", path)
		}
	}
}

func TestAPIMetadataOfAnUncleanIssuerIsNowhere(t *testing.T) {
	for _, path := range []string{"//a", "/a/../b", "/./a"} {
		w := newWorld(t, func(s *setup) { s.gateway.Core.Issuer = "https://gateway.test" + path })
		if len(w.api.Routes()) == 0 || w.api.Serve(httptest.NewRecorder(), request("GET", "/a/.well-known/openid-configuration", "")) {
			t.Errorf("%s: metadata is answered", path)
		}
	}
}

// The document and the routes name the same operations, whatever is served.
func TestAPIDescriptionNamesEveryRoute(t *testing.T) {
	d := readDescription()
	var described, served []string
	for path, operations := range d.paths() {
		for method := range operations.(map[string]any) {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	everything := newWorld(t, compat, func(s *setup) { s.gateway.Core.Issuer = issuer })
	for path, methods := range everything.api.Routes() {
		for _, method := range methods {
			served = append(served, method+" "+path)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

// References in the document lead somewhere, and every operation has an id of its
// own.
func TestAPIDescriptionIsWhole(t *testing.T) {
	text, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	d := readDescription()
	for _, m := range regexp.MustCompile(`"#/components/(\w+)/(\w+)"`).FindAllSubmatch(text, -1) {
		if at(claims.Object(d), "components."+string(m[1])+"."+string(m[2])) == nil {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
	for name := range at(claims.Object(d), "components.schemas").(map[string]any) {
		if !strings.Contains(string(text), `"#/components/schemas/`+name+`"`) {
			t.Errorf("schema %s is not used", name)
		}
	}
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`"operationId": "(\w+)"`).FindAllSubmatch(text, -1) {
		if ids[string(m[1])]++; ids[string(m[1])] > 1 {
			t.Errorf("two operations are called %s", m[1])
		}
	}
}

func TestAPIDescriptionIsServedWithoutCredentials(t *testing.T) {
	w := newWorld(t)
	rec := w.answerOf(request("GET", "/v1/openapi.json", ""))
	served, err := strictjson.Object(rec.Body.Bytes())
	if err != nil || rec.Code != 200 || served["openapi"] != "3.1.0" {
		t.Errorf("%d %v", rec.Code, err)
	}
	if head := w.answerOf(request("HEAD", "/v1/openapi.json", "")); head.Code != 200 || head.Body.Len() > 0 {
		t.Errorf("HEAD: %d with %d bytes", head.Code, head.Body.Len())
	}
}

// A validator that finds nothing proves nothing.
func TestAPIDescriptionIsStricterThanItsAnswers(t *testing.T) {
	d := readDescription()
	good := func() claims.Object {
		return claims.Object{"status_code": json.Number("200"), "request_id": "r", "project_id": "p"}
	}
	schema := d.answer("/v1/debug/whoami", "GET")
	if faults := d.check(schema, good(), "good"); faults != nil {
		t.Error(faults)
	}
	for name, change := range map[string]func(claims.Object){
		"lacks":     func(o claims.Object) { delete(o, "project_id") },
		"has":       func(o claims.Object) { o["more"] = true },
		"of a type": func(o claims.Object) { o["project_id"] = json.Number("1") },
		"of null":   func(o claims.Object) { o["request_id"] = nil },
	} {
		o := good()
		change(o)
		if d.check(schema, o, name) == nil {
			t.Errorf("%s: nothing was found", name)
		}
	}
	for _, v := range []any{"", "yesterday", nil} {
		if d.check(claims.Object{"type": "string", "format": "date-time"}, v, "") == nil {
			t.Errorf("%v passes for a timestamp", v)
		}
	}
}

// Whatever a package can refuse with has a status and a message of its own.
// problemCodes are those of the one table of codes, sorted.
func problemCodes() []string {
	var codes []string
	for _, p := range authn.Problems() {
		codes = append(codes, p.Code)
	}
	slices.Sort(codes)
	return codes
}

func TestAPICodesOfEveryRoomAreKnown(t *testing.T) {
	known := problemCodes()
	n := 0
	for _, file := range []string{"../directory/errors.go", "../claims/errors.go"} {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:Code: |Code\w+ += )"(\w+)"`).FindAllSubmatch(text, -1) {
			code := string(m[1])
			if n++; !slices.Contains(known, code) && !strings.HasPrefix(code, "jwt_template_") {
				t.Errorf("%s: %s is not in the table", file, code)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d codes were found", n)
	}
}

func TestErrorsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../docs/errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^- <a id=\"(\\w+)\"></a>`(\\w+)` \\(API (\\d+), proxied (\\d+)\\): .+").FindAllStringSubmatch(strings.ReplaceAll(string(text), "\n  ", " "), -1) {
		if m[1] != m[2] {
			t.Errorf("the anchor of %s is %s", m[2], m[1])
		}
		documented = append(documented, m[2])
	}
	slices.Sort(documented)
	if known := problemCodes(); !slices.Equal(documented, known) {
		t.Errorf("documented: %v\nknown: %v", documented, known)
	}
}
