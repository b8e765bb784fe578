package jose

// kind is a type of key by its members (RFC 7518 §6, RFC 8037 §2).
type kind struct{ parameters []parameter }

// parameter is one member of a key and the rule for its bytes. Members are
// checked before jwx sees them: it cuts an RSA exponent of more than 64 bits
// down and makes Ed25519 keys of any length.
type parameter struct {
	name string
	// sizes are the lengths in bytes, by the curve where the kind has one; nil for
	// the name of a curve.
	sizes func(crv string) (least, most int)
	// filled makes it as long as most: leading zeros are put before what is shorter, and
	// one is taken away, which some issuers write as a sign.
	filled bool
}

var kinds = map[string]kind{
	"RSA": {[]parameter{{name: "n", sizes: modulusSize}, {name: "e", sizes: exponentSize}}},
	"EC":  {[]parameter{{name: "crv"}, {name: "x", sizes: coordinateSize, filled: true}, {name: "y", sizes: coordinateSize, filled: true}}},
	"OKP": {[]parameter{{name: "crv"}, {name: "x", sizes: edwardsSize}}},
}

// modulusSize allows one leading zero byte, which some issuers write; the bits
// are counted later.
func modulusSize(string) (least, most int) { return MinRSABits / 8, MaxRSABits/8 + 1 }

func exponentSize(string) (least, most int) { return 1, 4 }

// coordinateSize allows fewer bytes than RFC 7518 §6.2.1.2 wants: some issuers strip
// leading zeros, which are put back.
func coordinateSize(crv string) (least, most int) {
	return 1, map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[crv]
}

func edwardsSize(crv string) (least, most int) {
	n := map[string]int{"Ed25519": 32}[crv]
	return n, n
}

func (p parameter) read(members map[string]any) (string, *KeyError) {
	text, ok := members[p.name].(string)
	if !ok {
		return "", keyErrorf("%s is not a string", p.name)
	}
	if p.sizes == nil {
		return text, nil
	}
	data, err := decodeTolerant(text)
	if err != nil {
		return "", keyErrorf("%s is not base64url", p.name)
	}
	crv, _ := members["crv"].(string)
	least, most := p.sizes(crv)
	if most == 0 {
		return "", keyErrorf("crv is not a curve for signatures")
	}
	if p.filled && len(data) == most+1 && data[0] == 0 {
		data = data[1:]
	}
	if len(data) < least || len(data) > most {
		return "", keyErrorf("%s has %d bytes", p.name, len(data))
	}
	if p.filled {
		data = append(make([]byte, most-len(data)), data...)
	}
	return encode(data), nil
}
