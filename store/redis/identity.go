package redis

import (
	"fmt"
	"net"
	"strings"
)

// StoreNames are what the configured store is called, one name for each address: its
// database, its prefix and that address. Two configurations reach the same records if
// they have a name in common, whatever the credentials, TLS and bounds, so that what a
// node must not forget outlives a change of those.
func (c Config) StoreNames() []string {
	c = c.withDefaults()
	names := make([]string, len(c.Addresses))
	for i, address := range c.Addresses {
		names[i] = fmt.Sprintf("%s %d %s %s", c.Sentinel, c.DB, c.Prefix, sameAddress(address))
	}
	return names
}

// sameAddress is one spelling of an address: names are lower case, and every name of
// this machine's loopback is one.
func sameAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if strings.HasPrefix(address, "/") || err != nil {
		return address
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
