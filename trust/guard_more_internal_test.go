package trust

import (
	"net/netip"
	"testing"
)

// Metadata services stay refused, by whatever address they are had.
func TestMetadataServicesAreNoKeyServers(t *testing.T) {
	for _, text := range []string{"169.254.169.254", "192.0.0.192", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "fe80::1", "::"} {
		if a := netip.MustParseAddr(text); !isMetadata(a) || isPublic(a) {
			t.Errorf("%s: metadata %t, public %t", text, isMetadata(a), isPublic(a))
		}
	}
	for _, text := range []string{"10.0.0.1", "192.168.1.1", "::1", "fd00::1", "64:ff9b::a00:1", "8.8.8.8"} {
		if isMetadata(netip.MustParseAddr(text)) {
			t.Errorf("%s is none", text)
		}
	}
}
