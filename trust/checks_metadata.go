package trust

import (
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// metadataKey is one mapped key of trusted_metadata.
type metadataKey struct{ key, path string }

// checkMetadata copies mapped claims of any type, of a bounded size. A claim that
// the token does not have takes back what an earlier token said, as with roles:
// some issuers leave a claim out when it is empty, and what it gave must not stay.
func checkMetadata(t *trial) *failure {
	if len(t.profile.metadata) > 0 {
		t.id.Metadata = make(map[string]any, len(t.profile.metadata))
	}
	for _, m := range t.profile.metadata {
		v := lookup(t.token.Claims, m.path)
		if v == nil {
			continue
		}
		if data, err := strictjson.Marshal(v); err != nil || len(data) > maxMetadata {
			return &failure{code: CodeMetadataInvalid, remedy: "claim " + m.path + " must have at most 4096 bytes"}
		}
		t.id.Metadata[m.key] = v
	}
	return nil
}

func configuredMetadata(p *Profile) string {
	var b []string
	for _, m := range p.metadata {
		b = append(b, m.key+" from "+m.path)
	}
	return list(b, "none")
}

func foundMetadata(t *trial) string {
	var b []string
	for _, m := range t.profile.metadata {
		b = append(b, m.path+"="+foundPath(t, m.path))
	}
	return list(b, "-")
}
