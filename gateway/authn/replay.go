package authn

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"github.com/attestgate/caddy-attest/internal/flight"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// calls are those that use up a token, under way: the same one again waits for it.
type calls = flight.Group[[sha256.Size]byte, LiveSession]

// use is the use of a token at the proxy, or by the call.
func (a *Authenticator) use(id *trust.Identity, call [sha256.Size]byte) session.Use {
	return session.Use{
		Profile: id.Profile, Issuer: id.Issuer, TokenID: id.TokenID, Digest: id.Digest, Call: call,
		Until: id.ExpiresAt.Add(trust.MaxLeeway),
	}
}

// useProxied notes that a token came with a proxied request, where its profile takes each
// token id once: the same token may come again, and no other of that id.
func (a *Authenticator) useProxied(ctx context.Context, id *trust.Identity) error {
	if !a.profileOf(id).Config().ReplayReject {
		return nil
	}
	_, err := a.Sessions.Use(ctx, a.use(id, [sha256.Size]byte{}))
	return replayed(err)
}

// useOnce does what a call asks for with a token, once where its profile takes each token
// id once; the same call within session.RepeatWithin has the same answer.
func (a *Authenticator) useOnce(ctx context.Context, r AttestRequest, id *trust.Identity, do func(context.Context) (LiveSession, error)) (LiveSession, error) {
	if !a.profileOf(id).Config().ReplayReject {
		return do(ctx)
	}
	call, err := r.digest()
	if err != nil {
		return LiveSession{}, err
	}
	return a.calls.Do(ctx, call, func(ctx context.Context) (LiveSession, error) {
		use := a.use(id, call)
		made, err := a.Sessions.Use(ctx, use)
		switch {
		case err != nil:
			return LiveSession{}, replayed(err)
		case made != "":
			return a.liveSession(ctx, made)
		}
		live, err := do(ctx)
		if err != nil {
			return LiveSession{}, err
		}
		return live, a.Sessions.NoteUse(ctx, use, live.Session.ID)
	})
}

func replayed(err error) error {
	if errors.Is(err, session.ErrReplayed) {
		return Refuse("token_replayed", err)
	}
	return err
}

// digest names the call and its caller.
func (r AttestRequest) digest() ([sha256.Size]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(data), nil
}
