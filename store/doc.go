// Package store is the contract between the packages of the gateway and whatever
// keeps their records.
//
// A record is a few hundred bytes under a partition and a key. A partition is
// the unit of atomicity: [Store.Apply] changes any number of records of one
// partition, all or none, each only if it still has the version the caller saw.
// (On Redis Cluster a partition is a hash tag, so all of it lives in one slot.)
// The partitions in use are
//
//	s:<session>        a session and its access record
//	o:<organization>   an organization, its members and their indexes
//	orgs               slugs and external ids of organizations
//	ring               signing keys and other keys made once
//
// A change that depends on what is stored is made by [Update]: read, decide, write,
// and begin anew where another writer was first.
//
// # Errors
//
// Whoever calls a store, and whoever writes one, needs five of them:
//
//	ErrConflict      another writer was first: read again and decide anew
//	ErrBusy          that happened too often: answer the caller to try later
//	ErrUnavailable   the backend does not serve: an outage, never "absent"
//	ErrFull          it is full; what it holds can be read
//	ErrClosed        the store was closed
//
// # Abilities
//
// Beyond that a backend may report what changes ([Watcher]), prove that it reports
// every change ([Connectivity]), compare its clock with ours ([Clock]), and let the
// bytes of its records be changed under them ([Rewriter]).
//
// Names consist of A–Z a–z 0–9 and : . _ ~ = - only; what a client
// chooses is hashed before it becomes a name.
//
// Backends are [github.com/attestgate/caddy-attest/store/memory], store/bolt and
// store/redis; store/sealed wraps any of them so that what they hold is opaque
// to whoever can read or write it; store/storetest is the suite that each of
// them passes.
package store
