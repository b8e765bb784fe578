package redis

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

const defaultPort = "6379"

// ParseURL reads the address of one server, Cluster node or Sentinel:
//
//	host, host:port
//	redis://[[user]:password@]host[:port][/db]
//	rediss://…                                       TLS
//	unix://[[user]:password@]/path/of/socket[?db=n]
//
// The port is 6379 unless given. Every mistake is a *ConfigError; none repeats any of
// the text, which may hold a password.
func ParseURL(text string) (Config, error) {
	if !strings.Contains(text, "://") {
		return parseAddress(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return Config{}, configErrorf("address", "not a URL")
	}
	var c Config
	c.Username = u.User.Username()
	c.Password, _ = u.User.Password()
	switch u.Scheme {
	case "unix":
		err = c.socket(u)
	case "rediss":
		c.TLS = &TLS{}
		err = c.host(u)
	case "redis":
		err = c.host(u)
	default:
		err = configErrorf("address", "the scheme is none of redis, rediss, unix")
	}
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

func parseAddress(text string) (Config, error) {
	address := text
	if !strings.HasPrefix(text, "/") {
		address = withPort(text)
	}
	if err := checkAddress(address); err != nil {
		return Config{}, err
	}
	return Config{Addresses: []string{address}}, nil
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), defaultPort)
}

func (c *Config) host(u *url.URL) (err error) {
	if u.RawQuery != "" || u.Fragment != "" {
		return configErrorf("address", "the URL has a query or fragment")
	}
	c.Addresses = []string{withPort(u.Host)}
	if path := strings.TrimPrefix(u.Path, "/"); path != "" {
		c.DB, err = parseDB(path)
	}
	return err
}

func (c *Config) socket(u *url.URL) (err error) {
	if u.Host != "" || u.Fragment != "" {
		return configErrorf("address", "the path of a unix socket begins with a slash: unix:///run/redis.sock")
	}
	c.Addresses = []string{u.Path}
	for name, values := range u.Query() {
		if name != "db" || len(values) != 1 {
			return configErrorf("address", "the query of a unix URL is ?db=n at most")
		}
		if c.DB, err = parseDB(values[0]); err != nil {
			return err
		}
	}
	return nil
}

func parseDB(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, configErrorf("db", "it is not a number")
	}
	return int(n), nil
}

// Parse reads several addresses, as ParseURL does each, of the nodes of one
// Cluster or of its Sentinels. What the URLs say besides must be the same in all.
func Parse(texts ...string) (Config, error) {
	if len(texts) == 0 {
		return Config{}, configErrorf("address", "none is given")
	}
	joined, err := ParseURL(texts[0])
	if err != nil {
		return Config{}, err
	}
	for i, text := range texts[1:] {
		c, err := ParseURL(text)
		if err != nil {
			return Config{}, err
		}
		if !joined.sameBesides(c) {
			return Config{}, configErrorf("address", "number %d differs from the first in user, password, database or TLS", i+2)
		}
		joined.Addresses = append(joined.Addresses, c.Addresses...)
	}
	return joined, nil
}

func (c Config) sameBesides(other Config) bool {
	return c.Username == other.Username && c.Password == other.Password &&
		c.DB == other.DB && (c.TLS == nil) == (other.TLS == nil)
}

func checkAddress(address string) *ConfigError {
	if strings.HasPrefix(address, "/") {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(host, " @/?#") {
		return configErrorf("address", "an address is host:port, the path of a unix socket, or a URL")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return configErrorf("address", "a port is a number from 1 to 65535")
	}
	return nil
}
