package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
)

// forwarding are headers that a proxy in front adds. With one of them the
// loopback peer forwards for a client that is elsewhere.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via", "True-Client-Ip", "Cf-Connecting-Ip"}

// BothEndsLoopback tells whether client and listener are on this machine, with
// nothing in between.
func BothEndsLoopback(r *http.Request) bool {
	for _, name := range forwarding {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && listensOnLoopback(r.Context())
}

// listensOnLoopback looks at the address of the connection itself: what the
// configuration says of listeners was checked when it was loaded.
func listensOnLoopback(ctx context.Context) bool {
	local, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	addr, err := netip.ParseAddrPort(local.String())
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// ClientPrefix is the address that a request came from; of IPv6 the /64, which is
// what one site has. It is what failures are counted by.
func ClientPrefix(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap()
	if ip.Is6() {
		prefix, _ := ip.WithZone("").Prefix(64)
		ip = prefix.Addr()
	}
	return ip.String()
}
