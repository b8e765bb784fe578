package metrics_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attestgate/caddy-attest/gateway/metrics"
)

var nameInDesc = regexp.MustCompile(`fqName: "([^"]+)"`)

// names are all metrics that there are.
func names() []string {
	ch := make(chan *prometheus.Desc, 100)
	metrics.New().Describe(ch)
	metrics.State{}.Describe(ch)
	close(ch)
	var list []string
	for d := range ch {
		list = append(list, nameInDesc.FindStringSubmatch(d.String())[1])
	}
	slices.Sort(list)
	return list
}

var (
	named  = regexp.MustCompile(`caddy_attest_[a-z_]+`)
	suffix = regexp.MustCompile(`_(bucket|count|sum)$`)
)

// What documents, dashboards and alerts name exists, and the documents name all there
// is.
func TestEveryMetricNamedExists(t *testing.T) {
	all := names()
	for _, path := range []string{"../../docs/metrics.md", "../../examples/grafana/attest.json", "../../examples/prometheus/attest.rules.yml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(data), -1) {
			if !slices.Contains(all, suffix.ReplaceAllString(name, "")) {
				t.Errorf("%s names %s, which does not exist", path, name)
			}
		}
		for _, name := range all {
			if strings.HasSuffix(path, "metrics.md") && !strings.Contains(string(data), "| `"+name+"` |") {
				t.Errorf("%s does not list %s", path, name)
			}
		}
	}
}

// The rules are rules, where promtool can be had (Debian: prometheus).
func TestPrometheusRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool")
	}
	if out, err := exec.Command(promtool, "check", "rules", "../../examples/prometheus/attest.rules.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
