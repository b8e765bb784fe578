package coverage_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestManySites: the ways of one site are not lost among those of hundreds, nor is
// the search for them given up.
func TestManySites(t *testing.T) {
	var sites strings.Builder
	for i := range 300 {
		fmt.Fprintf(&sites, `http://site%[1]d.test {
			handle_path /health/* {
				respond ok
			}
			handle /api/* {
				attest acme
				reverse_proxy app%[1]d:9000
			}
			handle {
				attest off
				reverse_proxy app%[1]d:9000
			}
		}
`, i)
	}
	if found := unloaded(t, sites.String()); len(found.Errors)+len(found.Warnings) > 0 {
		t.Errorf("%v", found)
	}
}
