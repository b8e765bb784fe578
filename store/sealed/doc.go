// Package sealed wraps a store so that what the store holds is opaque: who can
// read, write or replay it learns no record and forges none.
//
// # What is sealed
//
// Every value is AES-256-GCM under a key derived (HKDF-SHA256) from the
// operator's secret for its partition alone. Associated data are the partition,
// the key and the version, each with its length, so a record opens only where and
// as what it was written; the end of the record is inside. On the wire:
//
//	format  1 byte, 1
//	key id  8 bytes, names one of several secrets
//	nonce   12 bytes, random
//	sealed  end of the record (8 bytes), value; then 16 bytes of tag
//
// Names of partitions, keys and tags are not sealed (those that come from
// clients are keyed hashes already), nor are versions, ends and lengths.
//
// # What that gives
//
// A record that was forged, damaged, truncated, moved to another name, given another
// version or another end is an [Error], which is an [ErrBroken], and is reported
// to [Options].Fault: it is never taken for absent, nor for good. A record that
// the store keeps past its end is absent all the same. A whole record with its
// own former version can be put back by who writes the store; compare-and-swap
// then fails wherever a newer version was seen. So can a deleted one, or a blind
// one, on which nothing may be decided alone.
//
// # Random nonces
//
// A key sees the writes of one partition. Random 96-bit nonces are safe for 2^32
// of them under one key (NIST SP 800-38D §8.3): a session has thousands, an
// organization of a million members reaches that after four thousand changes of
// each.
//
// # Rotation
//
// The first secret seals, all of them open. To rotate, put a new one after the old
// on every node, so that each can open what any other seals; then first; and take
// the old one away when [Store.Reseal] finds nothing more to rewrite. (One node
// needs no first step.) What was forged with an old secret that an attacker learned
// is resealed like the rest: such a secret asks for more than a rotation.
package sealed
