package trust

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
)

var errPrivateAddress = errors.New("the address is not public (allow_private permits it)")

// dialControl looks at every address when it is dialled: after the name was resolved,
// so that a DNS answer that changes between check and use has no effect (DNS
// rebinding), and after a redirect as well.
func (c RemoteConfig) dialControl(u *url.URL) func(network, address string, _ syscall.RawConn) error {
	allowed := isPublic
	switch {
	case c.AllowHTTP:
		allowed = func(a netip.Addr) bool { return (a.IsPrivate() || a.IsLoopback()) && !isMetadata(a) }
	case c.AllowPrivate:
		allowed = func(a netip.Addr) bool { return !isMetadata(a) }
	case isLoopbackHost(u.Hostname()):
		allowed = func(a netip.Addr) bool { return a.IsLoopback() }
	}
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !allowed(to.Addr().WithZone("").Unmap()) {
			return errPrivateAddress
		}
		return nil
	}
}

// isMetadata tells the addresses under which clouds answer whoever asks with credentials
// of the machine, and those that are nobody's.
func isMetadata(a netip.Addr) bool {
	if in, embedded := embeddedIPv4(a); embedded {
		return isMetadata(in)
	}
	return a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() || slices.Contains(metadata[:], a)
}

// metadata are those of clouds that have others than link-local ones.
var metadata = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"), netip.MustParseAddr("168.63.129.16"),
}

// embeddedIPv4 is the address that an IPv6 one leads to: by NAT64 (RFC 6052), or as one that
// is compatible with it.
func embeddedIPv4(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() || !netip.MustParsePrefix("64:ff9b::/96").Contains(a) && !netip.MustParsePrefix("::/96").Contains(a) || a.IsLoopback() || a.IsUnspecified() {
		return a, false
	}
	text := a.As16()
	return netip.AddrFrom4([4]byte(text[12:])), true
}

// specialPurpose are blocks of the IANA special-purpose registries that netip has no
// predicate for, also those that embed an IPv4 address.
var specialPurpose = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers, used by clouds
	netip.MustParsePrefix("192.0.0.0/24"),    // IETF protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64, local
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/23"),       // Teredo and other protocol assignments
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("3fff::/20"),       // documentation
	netip.MustParsePrefix("5f00::/16"),       // segment routing
	netip.MustParsePrefix("fec0::/10"),       // site-local, deprecated
}

// isPublic tells whether an address is globally reachable: not private, loopback,
// link-local (the metadata services of clouds), multicast or reserved.
func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() || isMetadata(a) {
		return false
	}
	for _, block := range specialPurpose {
		if block.Contains(a) {
			return false
		}
	}
	return true
}
