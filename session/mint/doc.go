// Package mint says what the gateway says: it signs session JWTs, publishes the
// keys they verify with, and knows its own JWTs again. It never trusts tokens of other
// issuers.
//
// A [Ring] holds the signing keys of a whole fleet:
//
//	ring, err := mint.OpenRing(ctx, mint.RingConfig{Store: s})
//	go ring.Run(ctx)   // follows the store, rotates when it is time
//	ring.JWKS()        // what upstreams fetch, ready to be written
//
// A [Minter] makes JWTs with it and verifies those that come back:
//
//	m, err := mint.New(mint.Config{Ring: ring, Issuer: "https://gw.example.com", ProjectID: "project-1"})
//	jwt, err := m.Mint(mint.Request{Session: s, Factors: counting, Claims: effective, Lifetime: time.Minute})
//	id, err := m.Verify(ctx, text, mint.VerifyOptions{})
//
// # Two kinds of JWT
//
// An injected JWT goes to an upstream. An API JWT (Request.API) is handed out by
// the session API and is a credential: its audience contains the project id,
// and Verify takes no other. Even so it does no more than name a session;
// whether that one is live is asked of the session.
//
// # Keys
//
// The ring is one record of the store: for each algorithm that a node of the fleet
// signs with, a key that signs (active), the one that will (next), and those that
// did (retired). All of them are published. The next
// key has been for ten minutes before it signs, twice as long as anybody may
// cache the JWKS, and a retired one still is an hour after the last JWT it
// signed has expired, so nobody who verifies ever meets a key that is unknown.
// Whichever node turns the ring, all others follow when they next read it.
//
// After an emergency rotation ([RotateOptions].Emergency) the compromised key is
// denied: unpublished, refused at once, and refused again should the store fall
// back to a state in which it was good.
package mint
