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
		value := lookup(v.token.Claims, m.path)
		if value == nil {
			continue
		}
		if data, err := strictjson.Marshal(value); err != nil || len(data) > maxMetadata {
			return &failure{code: CodeMetadataInvalid, remedy: "claim " + m.path + " must have at most 4096 bytes"}
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
		b = append(b, m.path+"="+foundPath(v, m.path))
	}
	return joinOr(b, "-")
}
