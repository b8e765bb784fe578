package coverage

import (
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// An address is the text of an upstream in the one spelling that all of its
// spellings have in common.
type address string

// addressOf resolves {env.NAME} and {file.PATH}, the default port and the names of
// this machine. What is no address of the network (a source of upstreams, a
// placeholder of the request) stays as it is.
func addressOf(text string) address {
	text = caddy.NewReplacer().ReplaceKnown(text, "")
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		text = withPort(rest, scheme)
	}
	a, err := caddy.ParseNetworkAddressWithDefaults(text, "tcp", defaultPort)
	if err != nil || strings.ContainsAny(text, " {") {
		return address(text)
	}
	if a.IsUnixNetwork() {
		name, _, _ := strings.Cut(a.Host, "|") // a listener's permissions follow
		return address("unix/" + path.Clean(name))
	}
	if a.IsFdNetwork() {
		return address(text)
	}
	return address(net.JoinHostPort(machine(a.Host), strconv.Itoa(int(a.StartPort))))
}

const defaultPort = 80

func withPort(host, scheme string) string {
	host, _, _ = strings.Cut(host, "/")
	if scheme != "https" || strings.Contains(host[strings.LastIndex(host, "]")+1:], ":") {
		return host
	}
	return host + ":443"
}

// machine is the host, and one name for this machine.
func machine(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		if ip.IsLoopback() || ip.IsUnspecified() {
			return localhost
		}
		return ip.String()
	}
	if host == "" || host == localhost || strings.HasSuffix(host, "."+localhost) || strings.HasPrefix(host, "ip6-l") {
		return localhost
	}
	return host
}

const localhost = "localhost"

// isOpen tells an address that only a request can complete.
func (a address) isOpen() bool { return strings.Contains(string(a), "{") }
