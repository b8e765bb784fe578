// Package session remembers sign-ins.
//
// A [Manager] keeps sessions in a [store.Store]. There are two kinds. An
// ordinary one is made by [Manager.Start] and has a token, which whoever signed
// in carries from then on:
//
//	s, err := m.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: proof})
//	token, _ := m.Token(s)           // token.Reveal() is what the client gets
//	...
//	s, err = m.ByToken(ctx, token)   // ErrNotFound, ErrRevoked, or the session
//
// An implicit one stands for a trusted token that is shown again with every
// request. It has no token of its own, its id is computed from what the trusted
// token says, and so a thousand requests that show it at once share one session:
//
//	s, err := m.Implicit(ctx, session.Implicit{Profile: "github", OrganizationID: org, MemberID: member, Digest: sum, Until: end, ...})
//
// # Changing a session
//
// [Manager.Change] reads the session, lets a function change it and writes it
// back if nobody else did meanwhile; otherwise it begins again. Changes of one
// session take turns on a node. That a session was used is no change:
// [Manager.Accessed] notes it in a record beside the session's own. Whatever may
// refuse the change (a policy, the size of the claims) belongs inside the
// function: when it returns an error nothing has been written. [Manager.Attach]
// adds a proof, [Session.Extend] moves the end, [Manager.RenewToken] exchanges
// the secret.
//
// # Ends
//
// A session ends at its ExpiresAt, when it has not been used for Idle, or when
// it is revoked. Time alone writes nothing, so a clock that jumps ahead and back
// logs nobody out for good. A revocation is written: the record becomes a
// tombstone that outlives every credential that could bring the session back.
// Each node also keeps the revocations it has seen ([Revocations]) and writes
// them again where the store, after a failover, shows the session alive.
// [Manager.WritePending] writes those that the store could not take.
//
// # Errors
//
// [ErrNotFound] and [ErrRevoked] say that there is no such live session; they
// are answers. [ErrDuration], [ErrImplicit] and [ErrFactors] say what is wrong
// with a request. Everything else is a fault of the store or of its contents,
// and must never be taken for an answer in either direction; store.ErrBusy is one of
// them.
package session
