package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/attestgate/caddy-attest"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "caddy" {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		caddycmd.Main()
		return
	}
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	rounds  int
	slice   time.Duration
	clients int
	only    *regexp.Regexp
	against []further
}

func bench() error {
	quick := flag.Bool("quick", false, "a minute instead of several, with wider quartiles")
	jsonFile := flag.String("json", "", "write the results there")
	svgFile := flag.String("svg", "", "draw them there")
	only := flag.String("only", ".", "the scenarios whose name matches")
	o := options{rounds: 9, slice: 800 * time.Millisecond, clients: 8}
	flag.Func("against", "a further program, as name=pid=url; may be repeated", func(text string) error {
		f, err := parseFurther(text)
		o.against = append(o.against, f)
		return err
	})
	flag.Parse()
	if *quick {
		o.rounds, o.slice = 4, 250*time.Millisecond
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer upstream.Close()
	machine, err := newMachine(upstream.URL)
	if err != nil {
		return err
	}
	defer machine.close()
	var results []result
	fmt.Println(head)
	for _, s := range scenarios() {
		if !o.only.MatchString(s.name) {
			continue
		}
		r, err := machine.run(s, o)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		results = append(results, r)
		fmt.Println(r.row())
	}
	if *svgFile != "" {
		if err := os.WriteFile(*svgFile, drawn(results), 0o644); err != nil {
			return err
		}
	}
	if *jsonFile == "" {
		return nil
	}
	data, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(*jsonFile, append(data, '\n'), 0o644)
}
