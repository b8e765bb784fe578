package trust

import (
	"net/netip"
	"testing"
)

// F16: the addresses that a key set is never fetched from.
func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "93.184.216.34": true, "2606:4700:4700::1111": true, "2a00:1450:4001::1": true,

		"127.0.0.1": false, "127.255.255.254": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "10.255.255.255": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false,
		"169.254.169.254": false, "169.254.170.2": false, "fe80::1": false, "fd00:ec2::254": false, "fc00::1": false,
		"100.64.0.1": false, "100.100.100.200": false, "100.127.255.255": false, "192.0.0.192": false, "198.18.0.1": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"224.0.0.1": false, "ff02::1": false, "192.88.99.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false,
		"2002:7f00:1::1": false, "2001::1": false, "2001:db8::1": false, "fec0::1": false, "100::1": false,

		"172.32.0.1": true, "172.15.255.255": true, "100.128.0.1": true, "100.63.255.255": true, "11.0.0.1": true, "169.253.255.255": true,
	} {
		if got := isPublic(netip.MustParseAddr(text).Unmap()); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// dialControl sees the address that is dialled, and what it cannot read it refuses.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		url     string
		address string
		ok      bool
	}{
		{"https://idp.example/jwks", "93.184.216.34:443", true},
		{"https://idp.example/jwks", "127.0.0.1:443", false},
		{"https://idp.example/jwks", "[::ffff:169.254.169.254]:80", false},
		{"https://idp.example/jwks", "[2606:4700::1%eth0]:443", true},
		{"https://idp.example/jwks", "[2002:7f00:1::%eth0]:443", false},
		{"https://idp.example/jwks", "nonsense", false},
		{"http://localhost/jwks", "127.0.0.1:80", true},
		{"http://localhost/jwks", "[::1]:80", true},
		{"http://localhost/jwks", "10.0.0.1:80", false},
		{"http://localhost/jwks", "93.184.216.34:80", false},
	} {
		u, err := RemoteConfig{URL: c.url}.parseKeyURL()
		if err != nil {
			t.Fatal(err)
		}
		if err := (RemoteConfig{}).dialControl(u)("tcp", c.address, nil); (err == nil) != c.ok {
			t.Errorf("%s to %s: %v", c.url, c.address, err)
		}
	}
	u, _ := RemoteConfig{URL: "https://idp.example/jwks"}.parseKeyURL()
	private := RemoteConfig{AllowPrivate: true}.dialControl(u)
	if private("tcp", "10.0.0.1:443", nil) != nil || private("tcp", "[fd00::1]:443", nil) != nil || private("tcp", "127.0.0.1:443", nil) != nil {
		t.Error("allow_private does not")
	}
	if private("tcp", "169.254.169.254:80", nil) == nil || private("tcp", "[::ffff:169.254.169.254]:80", nil) == nil {
		t.Error("allow_private leads to a metadata service")
	}
}
