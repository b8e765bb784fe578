package session

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound reports that there is no such session, or that it has ended by
	// itself. ErrExpired and ErrIdle are ErrNotFound too, for those who want to know.
	ErrNotFound = errors.New("session: not found")
	// ErrExpired reports a session, or the trusted token of an implicit one, that
	// has come to its end.
	ErrExpired = fmt.Errorf("%w: expired", ErrNotFound)
	// ErrIdle reports a session that has not been used for too long.
	ErrIdle = fmt.Errorf("%w: idle for too long", ErrNotFound)
	// ErrRevoked reports a session that was ended on purpose.
	ErrRevoked = errors.New("session: revoked")
	// ErrToken reports text that is no session token.
	ErrToken = errors.New("session: not a session token")
	// ErrDuration reports a duration that is not positive or above the maximum.
	ErrDuration = errors.New("session: duration not allowed")
	// ErrImplicit reports what cannot be done to an implicit session: its end is
	// its trusted token's, and it has no token to renew.
	ErrImplicit = errors.New("session: not for an implicit session")
	// ErrFactors reports a session that holds as many factors as it may.
	ErrFactors  = errors.New("session: too many factors")
	errNoMember = errors.New("session: no organization or member")
	// ErrReplayed reports a trusted token whose profile takes each token id once, and had
	// this one before.
	ErrReplayed = errors.New("session: the token id was used before")
	// ErrMismatch reports an implicit session that belongs to another member or
	// organization than its id says. It is a fault: only a tampered store shows it.
	ErrMismatch = errors.New("session: found under the id of another member")
)
