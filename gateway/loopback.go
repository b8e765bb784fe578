package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
)

var errDevAway = errors.New("a dev profile is honoured only where both ends of the connection are loopback and no proxy stands between")

// forwarding are headers that a proxy in front adds. One of them means that the
// loopback peer speaks for somebody who is elsewhere.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via", "True-Client-Ip", "Cf-Connecting-Ip"}

// bothEndsLoopback tells whether client and listener are on this machine, with
// nothing in between.
func bothEndsLoopback(r *http.Request) bool {
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
