package coverage

import (
	"fmt"
	"maps"
	"net/netip"

	"github.com/caddyserver/caddy/v2"
)

// Listeners are those of one server.
type listeners struct {
	addresses []address
	open      string // one that others than this machine can reach, as configured
}

func listenersOf(texts []string) listeners {
	var l listeners
	for _, text := range texts {
		a, err := caddy.ParseNetworkAddress(caddy.NewReplacer().ReplaceKnown(text, ""))
		if err != nil {
			continue // Caddy refuses it
		}
		if !isLocal(a) {
			l.open = text
		}
		for _, one := range a.Expand() {
			l.addresses = append(l.addresses, addressOf(one.String()))
		}
	}
	return l
}

// isLocal tells a listener that this machine alone can reach. That of an inherited
// file descriptor is not known to be one.
func isLocal(a caddy.NetworkAddress) bool {
	if a.IsUnixNetwork() || a.IsFdNetwork() {
		return a.IsUnixNetwork()
	}
	ip, err := netip.ParseAddr(a.Host)
	return a.Host == localhost || err == nil && ip.IsLoopback()
}

// behind are the upstreams that an attest protects, and those that its requests come
// to through listeners of this configuration.
func (r *report) behind(covers map[address]*guard) map[address]*guard {
	all := maps.Clone(covers)
	for size := -1; size < len(all); {
		size = len(all)
		for _, n := range r.reaches {
			cover := n.follows(all)
			if cover != nil && all[n.address] == nil && n.bare != impossible && !r.shared[n.address] {
				all[n.address] = cover
			}
		}
	}
	return all
}

// follows answers the attest that the listeners of the way are behind, if they are.
func (n reach) follows(behind map[address]*guard) *guard {
	for _, a := range n.listeners.addresses {
		if cover := behind[a]; cover != nil {
			return cover
		}
	}
	return nil
}

// around warns of requests that come to the upstream as if they had met the attest:
// to a listener on the way from there, or from elsewhere.
func (n reach) around(behind map[address]*guard) []string {
	const forged = "so that whoever comes there can forge what the upstream believes"
	switch {
	case n.follows(behind) == nil:
		return []string{fmt.Sprintf("upstream %s is behind %s by way of a listener, and reached without any attest by %s, %s; %s",
			n.text, behind[n.address], n.place, forged, remedy(n.text))}
	case n.listeners.open != "":
		return []string{fmt.Sprintf("upstream %s is behind %s by way of the listener %s, and reached from there without any attest by %s, %s; bind the listener to a loopback address or a Unix socket, or write in the global attest block `shared_upstream %s`",
			n.text, behind[n.address], n.listeners.open, n.place, forged, n.text)}
	}
	return nil
}
