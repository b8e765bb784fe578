package redis

import (
	"net"
	"strings"
)

// SameStore reports whether two configurations reach the same records: the same
// database and prefix, and at least one server, socket or Sentinel in common.
// Credentials, TLS and bounds do not matter, nor does the order of addresses, so
// that what a node must not forget outlives a change of them.
func (c Config) SameStore(other Config) bool {
	c, other = c.withDefaults(), other.withDefaults()
	if c.DB != other.DB || c.Prefix != other.Prefix || c.Sentinel != other.Sentinel {
		return false
	}
	known := map[string]bool{}
	for _, address := range c.Addresses {
		known[sameAddress(address)] = true
	}
	for _, address := range other.Addresses {
		if known[sameAddress(address)] {
			return true
		}
	}
	return false
}

// sameAddress is one spelling of an address: names are lower case, and every name of
// this machine's loopback is one.
func sameAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if strings.HasPrefix(address, "/") || err != nil {
		return address
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || host == "localhost" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
