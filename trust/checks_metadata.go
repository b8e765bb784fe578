package trust

import (
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// metadataKey is one mapped key of trusted_metadata.
type metadataKey struct{ key, path string }

// checkMetadata copies mapped claims of any type, of a bounded size. A claim that
// the token does not have removes what an earlier token set, as with roles: some
// issuers leave a claim out when it is empty.
func checkMetadata(v *verification) *failure {
	if len(v.profile.metadata) > 0 {
		v.id.Metadata = make(map[string]any, len(v.profile.metadata))
	}
	for _, m := range v.profile.metadata {
		value, _, _ := v.attribute(MetadataPrefix + m.key)
		if value == nil {
			continue
		}
		if data, ok := storable(value); !ok || len(data) > maxMetadata {
			v.drop(MetadataPrefix+m.key, "%s that cannot be kept: more than %d bytes of JSON, or two names that differ in case only", shape(value), maxMetadata)
			continue
		}
		v.id.Metadata[m.key] = value
	}
	return nil
}

func configuredMetadata(p *Profile) string {
	var b []string
	for _, m := range p.metadata {
		b = append(b, m.key+" from "+m.path)
	}
	return joinOr(b, "none")
}

func foundMetadata(v *verification) string {
	var b []string
	for _, m := range v.profile.metadata {
		value, path, _ := v.attribute(MetadataPrefix + m.key)
		b = append(b, path+"="+printableValue(value))
	}
	return joinOr(b, "-")
}

// storable is a claim as JSON, if a store can read it again: it takes no two names that
// differ in case only.
func storable(value any) ([]byte, bool) {
	data, err := strictjson.Marshal(value)
	if err == nil {
		_, err = strictjson.Parse(data)
	}
	return data, err == nil
}
