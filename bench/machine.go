package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
)

// A machine has what all scenarios share.
type machine struct {
	dir, binary string
	upstream    *httptest.Server
	issuer      issuer
	plain       *program
}

func newMachine() (m *machine, err error) {
	m = new(machine)
	if m.dir, err = os.MkdirTemp("", "attest-bench"); err != nil {
		return nil, err
	}
	if m.binary, err = os.Executable(); err != nil {
		return nil, err
	}
	m.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.issuer.ServeHTTP(w, r) }))
	if m.issuer, err = newIssuer(m.upstream.URL); err != nil {
		return nil, err
	}
	if err := m.issuer.write(m.keysFile()); err != nil {
		return nil, err
	}
	m.plain, err = m.caddy("plain", "", "")
	return m, err
}

func (m *machine) close() {
	m.plain.stop()
	m.upstream.Close()
	_ = os.RemoveAll(m.dir)
}

func (m *machine) keysFile() string { return filepath.Join(m.dir, "keys.json") }

// caddy starts one with the lines of a site, and global ones.
func (m *machine) caddy(name, global, site string) (*program, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(m.dir, name)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("{\nadmin %s\npersist_config off\ndefault_bind 127.0.0.1\nlog {\noutput discard\n}\n%s\n}\nhttp://%s {\n%s\nreverse_proxy %s\n}\n", admin, global, address, site, m.upstream.URL)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := start(name, address, dir, nil, m.binary, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	if err == nil {
		p.admin = "http://" + admin
	}
	return p, err
}

func (m *machine) limit(s scenario, stores fleet) (*program, error) {
	line := "limit " + s.limit
	if len(stores) > 0 {
		line += " redis " + strings.Join(stores.addresses(), " ")
	}
	return m.caddy("limit", "", line)
}

// gateway is the one of a scenario.
func (m *machine) gateway(s scenario, stores fleet) (*program, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "attest {\n%s\n%s\nproject %s {\nsecret %s\n}\norganization acme {\nprofiles acme\n}\n", storeLines(stores), s.global, projectID, projectSecret)
	fmt.Fprintf(&b, "profile acme {\nissuer %s\naudience app\njwks_file %s\norganization acme\nmap roles roles\nroles *\ncreate members 100000000/h\n}\n}", m.issuer.url, m.keysFile())
	return m.caddy("gateway", b.String(), "attest_api\nattest acme {\n"+s.route+"\n}")
}

func storeLines(stores fleet) string {
	if len(stores) == 0 {
		return "store bolt"
	}
	return "secret 0123456789abcdef0123456789abcdef0123456789\nstore redis " + stores[0].address()
}
