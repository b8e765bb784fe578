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
	d := digest{buf: make([]byte, 0, 1024)}
	d.text(r.Session.ID)
	d.number(r.Session.Version)
	d.time(r.Session.StartedAt)
	d.number(uint64(len(r.Factors)))
	for _, f := range r.Factors {
		d.factor(f)
	}
	d.texts(r.Roles)
	d.text(r.OrganizationID)
	d.text(r.OrganizationSlug)
	d.text(r.MemberID)
	d.texts(r.Audience)
	d.bool(r.API)
	d.number(uint64(r.Lifetime))
	return sha256.Sum256(d.buf)
}

// digest collects what is hashed. Every text and list has its length before it, so
// that no two requests have one encoding.
type digest struct{ buf []byte }

func (d *digest) factor(f session.Factor) {
	d.text(f.Profile)
	d.text(f.Type)
	d.text(f.TokenID)
	d.text(f.Issuer)
	d.text(f.Email)
	d.bool(f.EmailVerified)
	d.time(f.ProvedAt)
	d.time(f.IssuedAt)
	d.time(f.CreatedAt)
	d.time(f.UpdatedAt)
}

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digest) texts(list []string) {
	d.number(uint64(len(list)))
	for _, s := range list {
		d.text(s)
	}
}

func (d *digest) time(t time.Time) { d.number(uint64(t.UnixMilli())) }

func (d *digest) number(n uint64) { d.buf = binary.BigEndian.AppendUint64(d.buf, n) }

func (d *digest) bool(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	d.number(n)
}
