package main

import (
	"fmt"
	"net/url"
	"strings"
)

// An outsider is a further program, as name=url=command.
type outsider struct{ name, url, command string }

func parseOutsider(text string) (o outsider, err error) {
	parts := strings.SplitN(text, "=", 3)
	if len(parts) != 3 || parts[2] == "" {
		return o, fmt.Errorf("expected name=url=command")
	}
	o = outsider{parts[0], strings.TrimSuffix(parts[1], "/"), parts[2]}
	u, err := url.Parse(o.url)
	if err == nil && (u.Scheme != "http" || u.Port() == "") {
		err = fmt.Errorf("expected a URL with http and a port: %s", o.url)
	}
	return o, err
}

// start runs the command with what it may want to know.
func (o outsider) start(m *machine, stores fleet) (*program, error) {
	u, err := url.Parse(o.url)
	if err != nil {
		return nil, err
	}
	environment := []string{"BENCH_UPSTREAM=" + m.upstream.URL, "BENCH_ISSUER=" + m.issuer.url, "BENCH_JWKS=" + m.issuer.url + "/jwks", "BENCH_JWKS_FILE=" + m.keysFile(), "BENCH_AUDIENCE=app"}
	if len(stores) > 0 {
		environment = append(environment, "BENCH_REDIS="+strings.Join(stores.addresses(), ","))
	}
	p, err := start(o.name, u.Host, m.dir, environment, "sh", "-c", "exec "+o.command)
	if err == nil {
		p.url = o.url
	}
	return p, err
}
