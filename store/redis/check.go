package redis

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A Warning is a setting of the server that works now and loses data, or logs people
// out, later.
type Warning struct {
	// Code is stable: "eviction", "no_persistence", "old_version", "clock_skew",
	// "replica", or "unchecked" where the user may not look.
	Code string
	// Server is the one it is about, by address.
	Server string
	// Found says what was found, Remedy what to do.
	Found, Remedy string
}

// String is the warning in a sentence.
func (w Warning) String() string {
	return fmt.Sprintf("redis %s: %s; %s", w.Server, w.Found, w.Remedy)
}

const (
	// maxSkew is how far the server's clock may be from ours.
	maxSkew = 2 * time.Second
	// checkTimeout bounds a Check, which asks a good deal and is in no hurry.
	checkTimeout = 5 * time.Second
)

// Check connects, tries everything that the store will do (read, script, publish,
// subscribe), and looks at the settings of the server, or of each master of a
// Cluster. The error is what keeps the store from working, a fault like any other;
// the warnings are the rest, in a stable order.
func (s *Store) Check(ctx context.Context) ([]Warning, error) {
	if err := s.checkUsable(ctx); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, max(checkTimeout, 4*s.config.Timeout))
	defer cancel()
	if err := s.tryAll(bounded); err != nil {
		return nil, s.wrapFault(ctx, "check", err)
	}
	var mu sync.Mutex
	var all []Warning
	err := s.eachMaster(bounded, func(ctx context.Context, client *goredis.Client) error {
		found, err := s.inspect(ctx, client)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, found...)
		return err
	})
	if err != nil {
		return nil, s.wrapFault(ctx, "check", err)
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].Server+all[i].Code < all[j].Server+all[j].Code
	})
	return all, nil
}

// tryAll does once what the store will do, on a partition that nobody uses.
func (s *Store) tryAll(ctx context.Context) error {
	key := []string{s.names.record("check", "check")}
	if err := s.client.MGet(ctx, key...).Err(); err != nil {
		return err
	}
	if _, err := s.run(ctx, touchScript, key, 1); err != nil {
		return err
	}
	if _, err := s.run(ctx, applyScript, key, 1, s.names.changes(), "", 0, "b", "", "", 0); err != nil {
		return err
	}
	if err := s.client.ZRangeWithScores(ctx, s.names.tag("check"), 0, -1).Err(); err != nil {
		return err
	}
	echo := s.names.echo("check")
	if err := s.client.Publish(ctx, echo, "").Err(); err != nil {
		return err
	}
	if err := s.client.Publish(ctx, s.names.changes(), "").Err(); err != nil {
		return err
	}
	sub, err := s.subscribe(ctx, echo)
	if err != nil {
		return err
	}
	return sub.Close()
}

func (s *Store) eachMaster(ctx context.Context, fn func(context.Context, *goredis.Client) error) error {
	switch client := s.client.(type) {
	case *goredis.ClusterClient:
		return client.ForEachMaster(ctx, fn)
	case *goredis.Client:
		return fn(ctx, client)
	}
	return nil
}

// inspection is what one server says of itself.
type inspection struct {
	server   string
	info     map[string]string
	warnings []Warning
}

func (s *Store) inspect(ctx context.Context, client *goredis.Client) ([]Warning, error) {
	in := &inspection{server: s.addressOf(client)}
	skew, within, err := clockSkew(ctx, client)
	if err == nil {
		in.clock(skew, within)
	} else if !in.noteDenied(err, "TIME") {
		return nil, err
	}
	text, err := client.Info(ctx).Result()
	if in.noteDenied(err, "INFO") {
		return in.warnings, nil
	}
	if err != nil {
		return nil, err
	}
	in.info = parseInfo(text)
	if in.info["cluster_enabled"] == "1" && !s.config.Cluster {
		return nil, &Error{Kind: Cluster, Op: "check", Err: errNotCluster}
	}
	in.version()
	in.role()
	in.eviction()
	return in.warnings, in.persistence(ctx, client)
}

func (s *Store) addressOf(client *goredis.Client) string {
	if s.config.Sentinel != "" {
		return s.config.Sentinel
	}
	return client.Options().Addr
}

func (in *inspection) warn(code, found, remedy string) {
	in.warnings = append(in.warnings, Warning{Code: code, Server: in.server, Found: found, Remedy: remedy})
}

// noteDenied notes a command that the user may not use, or that the service does not
// have, and reports whether it is one.
func (in *inspection) noteDenied(err error, command string) bool {
	if err == nil || !isAnswer(err) {
		return false
	}
	in.warn("unchecked", command+" is not allowed, so the settings were not looked at",
		"allow the user "+command+", or see to noeviction and persistence by hand")
	return true
}

func (in *inspection) clock(skew, within time.Duration) {
	if skew.Abs() > maxSkew+within {
		in.warn("clock_skew", fmt.Sprintf("its clock differs from ours by %v", skew.Round(100*time.Millisecond)),
			"run a time service on both: sessions end by both clocks")
	}
}

func (in *inspection) version() {
	var major, minor int
	if _, err := fmt.Sscanf(in.info["redis_version"], "%d.%d", &major, &minor); err != nil {
		return
	}
	if major < 6 || major == 6 && minor < 2 {
		in.warn("old_version", "it is version "+in.info["redis_version"], "use Redis 6.2 or later, or Valkey")
	}
}

func (in *inspection) role() {
	if in.info["role"] == "slave" {
		in.warn("replica", "it is a replica and takes no writes", "name the primary, or use sentinel")
	}
}

// eviction looks only where there is a limit: without one, no policy drops
// anything.
func (in *inspection) eviction() {
	policy := in.info["maxmemory_policy"]
	if limit, _ := strconv.ParseUint(in.info["maxmemory"], 10, 64); limit == 0 || policy == "" || policy == "noeviction" {
		return
	}
	in.warn("eviction", "maxmemory-policy "+policy+" drops sessions when memory is short, and so logs people out",
		"set maxmemory-policy noeviction")
}

func (in *inspection) persistence(ctx context.Context, client *goredis.Client) error {
	if in.info["aof_enabled"] == "1" {
		return nil
	}
	save, err := client.ConfigGet(ctx, "save").Result()
	if in.noteDenied(err, "CONFIG GET") {
		return nil
	}
	if err != nil {
		return err
	}
	if save["save"] == "" {
		in.warn("no_persistence", "it writes nothing to disk: a restart ends all sessions and makes new signing keys",
			"set appendonly yes")
	}
	return nil
}

// parseInfo reads the lines "name:value" of INFO.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}
