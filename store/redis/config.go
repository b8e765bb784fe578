package redis

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// Config says how to reach Redis. Addresses is required, all else has a default.
// However it is formatted, it shows no password.
type Config struct {
	// Addresses are host:port each, or the path of a unix socket: of the server, of
	// some of the Cluster's nodes, or of the Sentinels.
	Addresses []string
	// Cluster reports that the servers are a Redis Cluster.
	Cluster bool
	// Sentinel is the name that the Sentinels give the primary; empty: there are
	// none.
	Sentinel string

	// Username and Password are for the servers. Without a user name the password
	// is that of the user "default".
	Username, Password string
	// SentinelUsername and SentinelPassword are for the Sentinels, where those want
	// some.
	SentinelUsername, SentinelPassword string
	// DB is the number of the database, 0 in a Cluster.
	DB int
	// TLS makes all connections TLS; nil: plain TCP.
	TLS *TLS

	// Timeout bounds each call, connecting included. Default: 250 ms.
	Timeout time.Duration
	// Pool is how many connections there may be to each server; they are made when
	// they are needed. A call whose answer is late holds one for the whole Timeout, so
	// a small pool makes others wait that would be answered. Default: 128.
	Pool int
	// Prefix begins the name of every key and channel: at most 64 of A–Z a–z 0–9 and
	// : . _ ~ = -. Default: "attest:".
	Prefix string
	// Now is the clock of hints. Default: time.Now.
	Now func() time.Time
}

// TLS is how a connection proves who is at its ends. The zero value trusts the
// system's roots and shows no certificate.
type TLS struct {
	// CA are the roots to trust instead of the system's, PEM.
	CA []byte
	// Cert and Key are what we show, PEM; both or neither.
	Cert, Key []byte
	// ServerName is the name that the certificate must hold. Default: the host that
	// is dialled.
	ServerName string
}

const (
	defaultTimeout = 250 * time.Millisecond
	defaultPool    = 128
	defaultPrefix  = "attest:"
	// maxTimeout is more than any call can wait for.
	maxTimeout = time.Hour
	// maxPrefix bounds what every key carries.
	maxPrefix = 64
)

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Pool == 0 {
		c.Pool = defaultPool
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// ConfigError is a mistake in a Config. Option is spelled as in the configuration
// ("tls ca" for one within a block), Reason says what is wrong and repeats no value:
// a URL may hold a password.
type ConfigError struct {
	Option, Reason string
}

func (e *ConfigError) Error() string { return "redis: " + e.Option + ": " + e.Reason }

func configErrorf(option, format string, args ...any) *ConfigError {
	return &ConfigError{Option: option, Reason: fmt.Sprintf(format, args...)}
}

// Check refuses what cannot work, without connecting to anything. Every mistake is a
// *ConfigError.
func (c Config) Check() error {
	for _, check := range []func() *ConfigError{c.checkTopology, c.checkValues, c.checkAddresses} {
		if err := check(); err != nil {
			return err
		}
	}
	_, err := c.TLS.config()
	return err
}

func (c Config) checkTopology() *ConfigError {
	switch {
	case len(c.Addresses) == 0:
		return configErrorf("address", "none is given")
	case c.Cluster && c.Sentinel != "":
		return configErrorf("sentinel", "cluster and sentinel exclude each other")
	case c.Cluster && c.DB != 0:
		return configErrorf("db", "a cluster has database 0 only")
	case len(c.Addresses) > 1 && !c.Cluster && c.Sentinel == "":
		return configErrorf("address", "several addresses, but neither cluster nor sentinel")
	}
	return nil
}

func (c Config) checkValues() *ConfigError {
	switch {
	case c.DB < 0:
		return configErrorf("db", "%d is negative", c.DB)
	case c.Pool < 0:
		return configErrorf("pool", "%d is negative", c.Pool)
	case c.Timeout < 0:
		return configErrorf("timeout", "%s is negative", c.Timeout)
	case c.Timeout > maxTimeout:
		return configErrorf("timeout", "longer than %s", maxTimeout)
	case c.Username != "" && c.Password == "":
		return configErrorf("username", "a user name without a password")
	case len(c.Prefix) > maxPrefix || c.Prefix != "" && store.CheckName(c.Prefix) != nil:
		return configErrorf("prefix", "at most %d of A–Z a–z 0–9 : . _ ~ = -", maxPrefix)
	}
	return nil
}

func (c Config) checkAddresses() *ConfigError {
	for _, address := range c.Addresses {
		if err := checkAddress(address); err != nil {
			return err
		}
	}
	return nil
}

// config is the TLS configuration. What cannot be read is an error: it must never
// mean that there is no check.
func (t *TLS) config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.CA) {
			return nil, configErrorf("tls ca", "no certificate in it")
		}
	}
	if t.Cert == nil && t.Key == nil {
		return c, nil
	}
	pair, err := tls.X509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, configErrorf("tls cert", "cert and key are not a pair of PEM certificate and key")
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// Format implements fmt.Formatter, so that no verb shows a password.
func (c Config) Format(f fmt.State, _ rune) {
	kind := "server"
	switch {
	case c.Cluster:
		kind = "cluster"
	case c.Sentinel != "":
		kind = "sentinel " + c.Sentinel
	}
	_, _ = io.WriteString(f, "redis "+kind+" "+strings.Join(c.Addresses, " "))
}
