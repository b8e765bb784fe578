package redis_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

func codes(warnings []redis.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Code)
	}
	return slices.Compact(list)
}

func TestCheckWarns(t *testing.T) {
	for name, row := range map[string]struct {
		args []string
		set  [][]string
		want []string
	}{
		"nothing wrong":                {args: []string{"--appendonly", "yes"}},
		"snapshots are persistence":    {args: []string{"--save", "3600", "1"}},
		"F09 eviction":                 {args: []string{"--appendonly", "yes", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"}, want: []string{"eviction"}},
		"F09 eviction of mortals":      {args: []string{"--appendonly", "yes", "--maxmemory", "50mb", "--maxmemory-policy", "volatile-ttl"}, want: []string{"eviction"}},
		"a policy without a limit":     {args: []string{"--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"}},
		"noeviction":                   {args: []string{"--appendonly", "yes", "--maxmemory", "50mb", "--maxmemory-policy", "noeviction"}},
		"no persistence":               {want: []string{"no_persistence"}},
		"two at once":                  {args: []string{"--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lfu"}, want: []string{"eviction", "no_persistence"}},
		"not allowed to look":          {set: [][]string{{"acl", "setuser", "default", "-info", "-config", "-time"}}, want: []string{"unchecked"}},
		"not allowed to look at saves": {set: [][]string{{"acl", "setuser", "default", "-config"}}, want: []string{"unchecked"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, row.args...)
			for _, command := range row.set {
				server.CLI(command...)
			}
			warnings, err := open(t, fresh(server.Addr)).Check(t.Context())
			if err != nil || !slices.Equal(codes(warnings), row.want) {
				t.Errorf("warns of %v, %v; want %v", warnings, err, row.want)
			}
			for _, w := range warnings {
				if w.Server != server.Addr || w.Found == "" || w.Remedy == "" {
					t.Errorf("%+v says too little", w)
				}
			}
		})
	}
}

func TestCheckOfEveryMaster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	config := fresh(cluster.Addresses()...)
	config.Cluster = true
	warnings, err := open(t, config).Check(t.Context())
	if err != nil || len(warnings) != 3 || !slices.Equal(codes(warnings), []string{"no_persistence"}) {
		t.Errorf("warns of %v, %v; want one of each", warnings, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	const password = "correct-horse-battery-staple"
	server := redistest.Start(t, "--requirepass", password)
	server.CLI("acl", "setuser", "mute", "on", ">"+password, "~*", "+@all", "resetchannels")
	server.CLI("acl", "setuser", "elsewhere", "on", ">"+password, "~other:*", "&*", "+@all")
	server.CLI("acl", "setuser", "reader", "on", ">"+password, "~*", "&*", "+@all", "-evalsha", "-eval")
	cluster := redistest.StartCluster(t, 3, 0)
	for name, row := range map[string]struct {
		change func(*redis.Config)
		want   redis.Kind
	}{
		"F11 no password":             {func(c *redis.Config) {}, redis.Denied},
		"F11 wrong password":          {func(c *redis.Config) { c.Password = "wrong-" + password }, redis.Denied},
		"F11 unknown user":            {func(c *redis.Config) { c.Username, c.Password = "nobody", password }, redis.Denied},
		"F11 no channel":              {func(c *redis.Config) { c.Username, c.Password = "mute", password }, redis.Denied},
		"F11 no keys":                 {func(c *redis.Config) { c.Username, c.Password = "elsewhere", password }, redis.Denied},
		"F11 no scripts":              {func(c *redis.Config) { c.Username, c.Password = "reader", password }, redis.Denied},
		"nobody there":                {func(c *redis.Config) { c.Addresses = []string{"127.0.0.1:1"} }, redis.Unreachable},
		"TLS where there is none":     {func(c *redis.Config) { c.Password, c.TLS = password, &redis.TLS{} }, redis.Unreachable},
		"a cluster it is not told of": {func(c *redis.Config) { c.Addresses = cluster.Addresses()[:1] }, redis.Cluster},
		"no cluster":                  {func(c *redis.Config) { c.Password, c.Cluster = password, true }, redis.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			config := fresh(server.Addr)
			config.Timeout = 2 * time.Second
			row.change(&config)
			warnings, err := open(t, config).Check(t.Context())
			wantKind(t, "Check", err, row.want)
			if err != nil && strings.Contains(err.Error(), password) || len(warnings) > 0 {
				t.Errorf("Check: %v, %v", warnings, err)
			}
		})
	}
}

// F11 at run time: a password that changes is a fault, and says so without
// saying it.
func TestPasswordChanges(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, fresh(server.Addr))
	apply(t, s, op("session", "session", 0))
	server.CLI("config", "set", "requirepass", "correct-horse-battery-staple")
	if out, err := server.TryCLI("-a", "correct-horse-battery-staple", "--no-auth-warning", "client", "kill", "type", "normal"); err != nil {
		t.Fatal(out)
	}
	_, err := s.Get(t.Context(), partition, "session")
	wantKind(t, "Get", err, redis.Denied)
	wantKind(t, "Apply", s.Apply(t.Context(), partition, op("session", "x", 1)), redis.Denied)
	if err != nil && strings.Contains(err.Error(), "staple") {
		t.Errorf("the error holds the password: %v", err)
	}
}

// documentedRules are the ACL rules after a text in a file, with what follows in lines
// that begin with the next.
func documentedRules(t *testing.T, path, first, next string) []string {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for line := range strings.Lines(string(doc)) {
		if _, rest, ok := strings.Cut(line, first); ok {
			rules = append(rules, strings.Fields(rest)...)
		} else if rest, ok := strings.CutPrefix(line, next); ok && len(rules) > 0 {
			rules = append(rules, strings.Fields(rest)...)
		} else if len(rules) > 0 {
			break
		}
	}
	if len(rules) < 10 {
		t.Fatalf("found %v in %s", rules, path)
	}
	return rules
}

// The permissions that are documented are enough for everything.
func TestDocumentedPermissionsAreEnough(t *testing.T) {
	for name, rules := range map[string][]string{
		"package":   documentedRules(t, "doc.go", "//\tACL SETUSER gateway ", "//\t  "),
		"operators": documentedRules(t, "../../docs/operating.md", "ACL SETUSER attest ", "  "),
	} {
		t.Run(name, func(t *testing.T) { enough(t, rules) })
	}
}

// enough does everything that a store does as a user with these ACL rules.
func enough(t *testing.T, rules []string) {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "yes")
	for i, rule := range rules {
		if strings.HasPrefix(rule, ">") {
			rules[i] = ">password"
		}
	}
	server.CLI(append([]string{"acl", "setuser", "gateway"}, rules...)...)
	config := redis.Config{Addresses: []string{server.Addr}, Username: "gateway", Password: "password", Timeout: unhurried}
	s := open(t, config)
	if warnings, err := s.Check(t.Context()); err != nil || len(warnings) > 0 {
		t.Fatalf("Check: %v, %v", warnings, err)
	}
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	o := op("a", "1", 0)
	o.ExpiresAt, o.Tags = time.Now().Add(time.Hour), []string{"m:one"}
	apply(t, s, o, op("b", "1", 0))
	apply(t, s, op("b", "2", 1))
	if err := s.Touch(t.Context(), partition, "a", time.Now().Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if err := s.Touch(t.Context(), partition, "b", time.Time{}); err != nil {
		t.Error(err)
	}
	if refs, err := s.List(t.Context(), "m:one"); err != nil || len(refs) != 1 {
		t.Errorf("List: %v, %v", refs, err)
	}
	err := s.Scan(t.Context(), func(ref store.Ref) error {
		r := get(t, s, ref.Key)
		return s.Rewrite(t.Context(), ref, r.Value, []byte("resealed"))
	})
	if r := get(t, s, "b"); err != nil || string(r.Value) != "resealed" {
		t.Errorf("Scan and Rewrite: %v, b is %q", err, r.Value)
	}
	if log := server.CLI("acl", "log"); log != "" {
		t.Errorf("denied: %s", log)
	}
}

func TestTLS(t *testing.T) {
	server, address, authority := redistest.StartTLS(t, "--appendonly", "yes")
	good := func() redis.Config {
		config := fresh(address)
		config.Timeout = 5 * time.Second
		config.TLS = &redis.TLS{CA: authority.CA, Cert: authority.Cert, Key: authority.Key, ServerName: "redis.test"}
		return config
	}
	t.Run("good", func(t *testing.T) {
		s := open(t, good())
		if warnings, err := s.Check(t.Context()); err != nil || len(warnings) > 0 {
			t.Fatalf("Check: %v, %v", warnings, err)
		}
		apply(t, s, op("a", "1", 0))
		e := watch(t, s)
		eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
		var pool sync.WaitGroup
		for range 20 {
			pool.Go(func() { get(t, s, "a") })
		}
		pool.Wait()
		server.Kill()
		server.Restart()
		server.Ready()
		// No connection of the pool is tried that the server has closed.
		for v := range uint64(20) {
			apply(t, s, op("b", "1", v))
		}
		eventually(t, "a Flush", func() bool { return e.flushes() > 1 })
	})
	for name, change := range map[string]func(*redis.TLS){
		"the server's name is another":     func(c *redis.TLS) { c.ServerName = "other.test" },
		"the server's name is its address": func(c *redis.TLS) { c.ServerName = "" },
		"the authority is unknown":         func(c *redis.TLS) { c.CA = nil },
		"no certificate of ours":           func(c *redis.TLS) { c.Cert, c.Key = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			config := good()
			change(config.TLS)
			_, err := open(t, config).Check(t.Context())
			wantKind(t, "Check", err, redis.Unreachable)
		})
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redis.sock")
	redistest.Start(t, "--unixsocket", path)
	config, err := redis.ParseURL("unix://" + path + "?db=3")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, config)
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply(t, s, op("a", "1", 0))
}

// Databases and prefixes keep apart what shares a server.
func TestDatabasesAndPrefixes(t *testing.T) {
	server := redistest.Start(t)
	one := open(t, redis.Config{Addresses: []string{server.Addr}, Timeout: unhurried})
	for name, config := range map[string]redis.Config{
		"another database": {Addresses: []string{server.Addr}, DB: 5, Timeout: unhurried},
		"another prefix":   {Addresses: []string{server.Addr}, Prefix: "other:", Timeout: unhurried},
	} {
		apply(t, one, op(strings.ReplaceAll(name, " ", "-"), "1", 0))
		if r := get(t, open(t, config), strings.ReplaceAll(name, " ", "-")); r.Exists() {
			t.Errorf("%s: the record is there too", name)
		}
	}
	for _, key := range strings.Fields(server.CLI("keys", "*")) {
		if !strings.HasPrefix(key, "attest:") {
			t.Errorf("a key is called %q", key)
		}
	}
}

// A hundred stores opened and closed leave no connection behind.
func TestNoConnectionIsLeaked(t *testing.T) {
	server := redistest.Start(t)
	for range 100 {
		s, err := redis.New(fresh(server.Addr))
		if err != nil {
			t.Fatal(err)
		}
		e := watch(t, s)
		apply(t, s, op("a", "1", 0))
		eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the last connection's end", func() bool {
		return strings.Count(server.CLI("client", "list"), "\n") == 0 // redis-cli's own
	})
}

// F32: what a session costs in Redis, sealed, with its tag.
func TestMemoryOfARecord(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	s := open(t, config)
	const many = 2000
	used := func() (n int) {
		fmt.Sscanf(strings.SplitAfter(server.CLI("info", "memory"), "used_memory:")[1], "%d", &n)
		return n
	}
	apply(t, s, op("warm", "1", 0))
	before := used()
	for i := range many {
		o := op("session", strings.Repeat("x", 700), 0)
		o.ExpiresAt = time.Now().Add(time.Hour)
		o.Tags = []string{fmt.Sprintf("m:%d", i/2)}
		if err := s.Apply(t.Context(), fmt.Sprintf("s:%032d", i), o); err != nil {
			t.Fatal(err)
		}
	}
	each := (used() - before) / many
	t.Logf("%d bytes for a value of 700", each)
	if each > 1300 {
		t.Errorf("a session of 700 bytes costs %d, want at most 1,300", each)
	}
}
