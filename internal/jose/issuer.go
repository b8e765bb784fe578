package jose

import "github.com/attestgate/caddy-attest/internal/strictjson"

// UnverifiedIssuer answers the iss of text that has the form of a JWT (RFC 7519
// §7.2), whatever its algorithm, and signed or not: alg none passes here. Nothing
// of it is proved. It is false unless header and payload are strict base64url of
// strict JSON objects and iss is one text that is not empty.
func UnverifiedIssuer(compact string) (issuer string, ok bool) {
	header, payload, signature, err := splitParts(compact)
	if err != nil {
		return "", false
	}
	if _, err := decodeWith(header, strictjson.Object); err != nil {
		return "", false
	}
	if _, err := decode(signature); err != nil {
		return "", false
	}
	claims, err := decodeWith(payload, readClaims)
	if err != nil {
		return "", false
	}
	issuer, _ = claims["iss"].(string)
	return issuer, issuer != ""
}

func decodeWith(part string, read func([]byte) (map[string]any, error)) (map[string]any, error) {
	data, err := decode(part)
	if err != nil {
		return nil, err
	}
	return read(data)
}
