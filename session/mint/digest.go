package mint

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

// Digest identifies what a JWT is made of: a JWT that was minted for a request may
// be reused for another with the same digest. Of the session it covers the
// identity and the version, so LastAccessedAt alone may differ. Claims are left
// out: they are rendered from things that have versions of their own (template,
// member, organization, and the session itself with its factors' claims), which the caller compares beside the digest, without
// rendering them.
func (r Request) Digest() [sha256.Size]byte {
	var space [1024]byte // most requests fit, and cost no allocation
	d := digest(space[:0]).text(r.Session.ID).number(r.Session.Version).time(r.Session.StartedAt).number(uint64(len(r.Factors)))
	for i := range r.Factors {
		d = d.factor(&r.Factors[i])
	}
	d = d.texts(r.Roles).text(r.OrganizationID).text(r.OrganizationSlug).text(r.MemberID).texts(r.Audience)
	return sha256.Sum256(d.bool(r.API).number(uint64(r.Lifetime)).text(r.ClientID).text(r.Scope))
}

// digest collects what is hashed. Every text and list has its length before it, so
// that no two requests have one encoding.
type digest []byte

func (d digest) factor(f *session.Factor) digest {
	d = d.text(f.Profile).text(f.Type).text(f.TokenID).text(f.Issuer).text(f.Email).bool(f.EmailVerified)
	return d.time(f.ProvedAt).time(f.IssuedAt).time(f.CreatedAt).time(f.UpdatedAt)
}

func (d digest) text(s string) digest { return append(d.number(uint64(len(s))), s...) }

func (d digest) texts(list []string) digest {
	d = d.number(uint64(len(list)))
	for _, s := range list {
		d = d.text(s)
	}
	return d
}

func (d digest) number(n uint64) digest { return binary.BigEndian.AppendUint64(d, n) }

func (d digest) time(t time.Time) digest { return d.number(uint64(t.UnixMilli())) }

func (d digest) bool(b bool) digest {
	if b {
		return d.number(1)
	}
	return d.number(0)
}
