package attest_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/attestgate/caddy-attest"

// arrows is the table of ARCHITECTURE.md: which packages a package may import.
// Those below one (store/bolt, trust/trusttest) follow their outer one.
var arrows = map[string][]string{
	"":                      {"caddymodule"},
	"cmd/caddy":             {""},
	"bench":                 {"", "internal/jose"},
	"internal/strictjson":   {},
	"internal/cache":        {},
	"internal/flight":       {},
	"internal/jose":         {"internal/strictjson"},
	"internal/email":        {},
	"internal/expression":   {},
	"claims":                {"internal/strictjson"},
	"trust":                 {"claims", "internal/email", "internal/expression", "internal/cache", "internal/flight", "internal/jose", "internal/strictjson"},
	"trust/preset":          {"trust"},
	"trust/trusttest":       {"trust", "internal/jose", "internal/strictjson"},
	"store":                 {"store/record"},
	"store/internal/hub":    {"store"},
	"store/record":          {"internal/strictjson"},
	"store/memory":          {"store"},
	"store/bolt":            {"store"},
	"store/redis":           {"store"},
	"store/redis/redistest": {},
	"store/sealed":          {"store", "internal/cache"},
	"store/fleet":           {"store", "store/record"},
	"store/backup":          {"store", "store/sealed"},
	"store/storetest":       {"store", "store/record", "internal/strictjson"},
	"directory":             {"store", "store/record", "claims", "internal/email", "internal/flight", "internal/strictjson"},
	"rbac":                  {},
	"session":               {"store", "store/record", "claims", "internal/flight", "internal/strictjson"},
	"session/mint":          {"session", "store", "store/record", "claims", "internal/flight", "internal/jose", "internal/strictjson"},
	"gateway/authn":         {"trust", "directory", "rbac", "session", "session/mint", "claims", "store", "store/fleet", "internal/cache", "internal/expression", "internal/flight"},
	"gateway/web":           {"gateway/authn", "internal/jose", "internal/strictjson"},
	"gateway/proxy":         {"gateway/authn", "gateway/web"},
	"gateway/verify":        {"gateway/authn", "gateway/web"},
	"gateway/api":           {"gateway/authn", "gateway/web", "directory", "rbac", "session", "claims", "internal/strictjson"},
	"gateway/admin":         {"gateway/authn", "gateway/probe", "trust", "directory", "session", "session/mint", "claims", "internal/strictjson"},
	"gateway/cases":         {"trust", "claims", "internal/strictjson"},
	"gateway/desk":          {},
	"gateway/probe":         {},
	"gateway/metrics":       {"gateway/authn", "directory", "trust"},
	"gateway":               {"gateway/authn", "gateway/web", "gateway/proxy", "gateway/api", "store"},
	"caddymodule":           {"*"},
	"caddymodule/command":   {"gateway/admin"},
	"caddymodule/coverage":  {},
	"caddymodule/grammar":   {},
	"caddymodule/logformat": {"gateway/web"},
	"e2e":                   {},
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestArrowsBetweenPackages(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		pkg, imports, _ := strings.Cut(line, " ")
		name := strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
		allowed, known := arrows[name]
		if !known {
			outer := name[:max(strings.LastIndex(name, "/"), 0)]
			if allowed, known = arrows[outer]; !known {
				t.Errorf("%s is a package that the table does not know", name)
				continue
			}
			allowed = append(slices.Clone(allowed), outer)
		}
		for _, path := range strings.Fields(imports) {
			if target, ours := strings.CutPrefix(path, module); ours {
				target = strings.TrimPrefix(target, "/")
				if !mayImport(name, target, allowed) {
					t.Errorf("%s imports %s, which the table does not allow", name, target)
				}
			}
		}
	}
}

func mayImport(name, target string, allowed []string) bool {
	for _, a := range allowed {
		if a == "*" || a == target || (a != "" && strings.HasPrefix(target, a+"/internal/")) {
			return true
		}
	}
	return strings.HasPrefix(target, name+"/internal/")
}

// The JWT library stays in one package, and its packages that read claims or
// decrypt stay out of the program altogether (docs/decisions/0001-jwx-v2.md).
func TestJWXOnlyInJose(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		pkg, imports, _ := strings.Cut(line, " ")
		if pkg != module+"/internal/jose" && strings.Contains(imports, "lestrrat-go/jwx") {
			t.Errorf("%s imports jwx", pkg)
		}
	}
	for _, dep := range goList(t, "-deps", "./cmd/caddy") {
		if dep == "github.com/lestrrat-go/jwx/v2/jwt" || dep == "github.com/lestrrat-go/jwx/v2/jwe" {
			t.Errorf("%s is linked", dep)
		}
	}
}

// Randomness that can be guessed has no place in a program that hands out
// secrets (CVE-2024-21495).
func TestNoMathRand(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		pkg, imports, _ := strings.Cut(line, " ")
		for _, path := range strings.Fields(imports) {
			if path == "math/rand" || path == "math/rand/v2" {
				t.Errorf("%s imports %s", pkg, path)
			}
		}
	}
}
