package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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
	if err := bench(parseOptions()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	rounds         int
	slice          time.Duration
	clients        int
	only           *regexp.Regexp
	against        []outsider
	pprof          string
	jsonTo, drawTo string
}

func parseOptions() (o options) {
	flag.IntVar(&o.rounds, "rounds", 31, "how many slices each has")
	flag.DurationVar(&o.slice, "slice", 200*time.Millisecond, "how long a slice is")
	flag.IntVar(&o.clients, "clients", 8, "how many ask at the same time")
	flag.StringVar(&o.jsonTo, "json", "", "write the results to this `file`")
	flag.StringVar(&o.drawTo, "svg", "", "draw them to this `file`")
	flag.StringVar(&o.pprof, "pprof", "", "profile the gateway, into this `directory`")
	quick := flag.Bool("quick", false, "a minute instead of several: few scenarios, with wider quartiles")
	only := flag.String("only", "", "the scenarios whose name matches this `expression`")
	flag.Func("against", "a further program, as `name=url=command`; may be repeated", func(text string) error {
		a, err := parseOutsider(text)
		o.against = append(o.against, a)
		return err
	})
	flag.Parse()
	if *quick {
		o.rounds, o.slice = 9, 100*time.Millisecond
	}
	if *only == "" && *quick {
		*only = quickOnes
	}
	o.only = regexp.MustCompile(*only)
	return o
}

// quickOnes are a path of each kind.
const quickOnes = "^(control|hot, session token|hot, trusted|a JWT each time, ES256|local_cache off, Redis$|first exchange, .* member, Redis$|authenticate)"

func bench(o options) error {
	if cpuTime(os.Getpid()) == 0 {
		return errors.New("the CPU time of processes is not known here; it is on Linux")
	}
	machine, err := newMachine()
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
			return errors.Join(fmt.Errorf("%s: %w", s.name, err), o.write(results))
		}
		results = append(results, r)
		fmt.Println(r.row())
	}
	return o.write(results)
}

func (o options) write(results []result) error {
	if o.drawTo != "" {
		if err := os.WriteFile(o.drawTo, drawn(results), 0o644); err != nil {
			return err
		}
	}
	if o.jsonTo == "" {
		return nil
	}
	data, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.jsonTo, append(data, '\n'), 0o644)
}
