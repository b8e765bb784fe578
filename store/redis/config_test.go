package redis_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]redis.Config{
		"redis://localhost":                        {Addresses: []string{"localhost:6379"}},
		"redis://localhost:7000/3":                 {Addresses: []string{"localhost:7000"}, DB: 3},
		"redis://localhost/":                       {Addresses: []string{"localhost:6379"}},
		"redis://:hush@localhost":                  {Addresses: []string{"localhost:6379"}, Password: "hush"},
		"redis://gateway:hu%2Fsh@10.0.0.1:7000":    {Addresses: []string{"10.0.0.1:7000"}, Username: "gateway", Password: "hu/sh"},
		"rediss://redis.internal":                  {Addresses: []string{"redis.internal:6379"}, TLS: &redis.TLS{}},
		"redis://[::1]:7000":                       {Addresses: []string{"[::1]:7000"}},
		"redis://[::1]":                            {Addresses: []string{"[::1]:6379"}},
		"unix:///run/redis.sock":                   {Addresses: []string{"/run/redis.sock"}},
		"unix://gateway:hush@/run/redis.sock?db=2": {Addresses: []string{"/run/redis.sock"}, Username: "gateway", Password: "hush", DB: 2},
		"localhost":                                {Addresses: []string{"localhost:6379"}},
		"localhost:7000":                           {Addresses: []string{"localhost:7000"}},
		"::1":                                      {Addresses: []string{"[::1]:6379"}},
		"/run/redis.sock":                          {Addresses: []string{"/run/redis.sock"}},
	} {
		got, err := redis.ParseURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !slices.Equal(got.Addresses, want.Addresses) || got.Username != want.Username ||
			got.Password != want.Password || got.DB != want.DB || (got.TLS == nil) != (want.TLS == nil) {
			t.Errorf("%s: %v (user %q, database %d, TLS %t)", text, got, got.Username, got.DB, got.TLS != nil)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "host:port",
		"http://hunter2@host":                "scheme",
		"redis://hunter2:hunter2@host/x":     "not a number",
		"redis://hunter2:hunter2@host/-1":    "not a number",
		"redis://hunter2:hunter2@host/1/2":   "not a number",
		"redis://hunter2:hunter2@host?a=b":   "query",
		"redis://hunter2:hunter2@host#x":     "fragment",
		"redis://hunter2:hunter2@host:x":     "not a URL",
		"redis://hunter2:hunter2@host:0":     "port",
		"redis://hunter2:hunter2@host:70000": "port",
		"redis://hunter2:hunter2@":           "host:port",
		"redis://hunter2@host":               "without a password",
		"redis://hunter2:\x7f@host":          "not a URL",
		"redis://hunter2:hun%ter2@host":      "not a URL",
		"unix://hunter2:hunter2@host/path":   "begins with a slash",
		"unix:///path?hunter2=1":             "?db=n",
		"unix:///path?db=hunter2":            "not a number",
		"hunter2:hunter2@host:6379":          "host:port",
		"host:hunter2":                       "port",
	} {
		c, err := redis.ParseURL(text)
		if err == nil {
			t.Errorf("%q is read as %v", text, c)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q and nothing of the text", text, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	c, err := redis.Parse("rediss://:hush@a", "rediss://:hush@b:7000", "rediss://:hush@c")
	if err != nil || !slices.Equal(c.Addresses, []string{"a:6379", "b:7000", "c:6379"}) || c.Password != "hush" || c.TLS == nil {
		t.Errorf("got %v, %v", c, err)
	}
	for name, texts := range map[string][]string{
		"none":               {},
		"another password":   {"redis://:hunter2@a", "redis://:hunter3@b"},
		"a password too few": {"redis://:hunter2@a", "redis://b"},
		"another database":   {"redis://a/1", "redis://b/2"},
		"TLS and not":        {"redis://a", "rediss://b"},
		"a bad one":          {"redis://a", "redis://b:x"},
	} {
		if c, err := redis.Parse(texts...); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for want, config := range map[string]redis.Config{
		"address: none is given":         {},
		"cluster and sentinel exclude":   {Addresses: []string{"a:1"}, Cluster: true, Sentinel: "x"},
		"database 0 only":                {Addresses: []string{"a:1"}, Cluster: true, DB: 1},
		"neither cluster nor sentinel":   {Addresses: []string{"a:1", "b:1"}},
		"db: -1 is negative":             {Addresses: []string{"a:1"}, DB: -1},
		"pool: -1 is negative":           {Addresses: []string{"a:1"}, Pool: -1},
		"timeout: -1s is negative":       {Addresses: []string{"a:1"}, Timeout: -time.Second},
		"prefix":                         {Addresses: []string{"a:1"}, Prefix: "{x}"},
		"a user name without a password": {Addresses: []string{"a:1"}, Username: "x"},
		"an address is host:port":        {Addresses: []string{"nowhere"}},
		"tls ca: no certificate in it":   {Addresses: []string{"a:1"}, TLS: &redis.TLS{CA: []byte("hunter2")}},
		"tls cert: cert and key are not": {Addresses: []string{"a:1"}, TLS: &redis.TLS{Cert: []byte("hunter2"), Key: []byte("hunter2")}},
		"are not a pair of PEM":          {Addresses: []string{"a:1"}, TLS: &redis.TLS{Key: []byte("hunter2")}},
		"tls ca: no certificate":         {Addresses: []string{"a:1"}, TLS: &redis.TLS{CA: []byte{}}},
	} {
		s, err := redis.New(config)
		if err == nil {
			s.Close()
			t.Errorf("%s: not refused", want)
			continue
		}
		var mistake *redis.ConfigError
		if !errors.As(err, &mistake) || mistake.Option == "" {
			t.Errorf("%v is no *ConfigError with an option", err)
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestConfigShowsNoPassword(t *testing.T) {
	c, err := redis.ParseURL("rediss://gateway:hunter2@redis.internal")
	if err != nil {
		t.Fatal(err)
	}
	c.SentinelPassword = "hunter2"
	c.TLS = &redis.TLS{Key: []byte("hunter2")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s shows %s", verb, text)
		}
		if text := fmt.Sprintf(verb, &c); strings.Contains(text, "hunter2") {
			t.Errorf("%s of a pointer shows %s", verb, text)
		}
	}
	if text := fmt.Sprint(c); text != "redis server redis.internal:6379" {
		t.Errorf("it is shown as %q", text)
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("redis://user:hunter2@host:6379/0")
	f.Add("unix:///run/redis.sock?db=1")
	f.Add("::1")
	f.Add("host")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := redis.ParseURL(text)
		if err != nil {
			if len(text) > 3 && strings.Contains(err.Error(), text) && !strings.Contains("redis: an address is host:port, the path of a unix socket, or a URL not a the scheme is none of rediss unix", text) {
				t.Errorf("the error repeats %q: %v", text, err)
			}
			return
		}
		s, err := redis.New(c)
		if err != nil {
			t.Errorf("%q is read as %v, which New refuses: %v", text, c, err)
			return
		}
		s.Close()
	})
}

func ExampleParseURL() {
	config, err := redis.ParseURL("rediss://gateway:secret@redis.internal/2")
	fmt.Println(config, config.Username, config.DB, err)

	_, err = redis.ParseURL("http://gateway:secret@redis.internal")
	fmt.Println(err)
	// Output:
	// redis server redis.internal:6379 gateway 2 <nil>
	// redis: address: the scheme is none of redis, rediss, unix
}

func ExampleNew() {
	config, err := redis.Parse("redis://a.internal", "redis://b.internal", "redis://c.internal")
	if err != nil {
		fmt.Println(err)
		return
	}
	config.Cluster = true
	s, err := redis.New(config) // connects when it is first used
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(s.Status().Down)
	// Output: []
}
