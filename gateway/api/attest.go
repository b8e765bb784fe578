package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

type attestBody struct {
	ProfileID      string `json:"profile_id"`
	TokenProfileID string `json:"token_profile_id"` // the spelling of Stytch's launch post
	Token          string `json:"token"`
	OrganizationID string `json:"organization_id"`
	TelemetryID    string `json:"telemetry_id"` // accepted and not used
	sessionArguments
	sessionChanges
}

func (b attestBody) profile() string {
	if b.ProfileID == "" {
		return b.TokenProfileID
	}
	return b.ProfileID
}

var errMissingArgument = errors.New("profile_id and token are required")

// request checks everything that can be judged from the body alone, before a key is
// fetched or a record read.
func (b attestBody) request(r *http.Request, policy claims.Policy) (authn.AttestRequest, error) {
	if b.profile() == "" || b.Token == "" || (b.ProfileID != "" && b.TokenProfileID != "" && b.ProfileID != b.TokenProfileID) {
		return authn.AttestRequest{}, authn.Refuse("invalid_argument", errMissingArgument)
	}
	if err := b.name().Check(); err != nil {
		return authn.AttestRequest{}, err
	}
	change, err := b.change(policy)
	return authn.AttestRequest{
		Profile: b.profile(), Token: b.Token, Organization: b.OrganizationID,
		Session: b.name(), Change: change, Caller: caller(r), Loopback: web.BothEndsLoopback(r),
	}, err
}

// attest: POST /v1/b2b/sessions/attest. A trusted token becomes a session, or a
// further factor of the one named.
func (a *API) attest(ctx context.Context, r *http.Request) (any, error) {
	var in attestBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	request, err := in.request(r, a.core.ClaimPolicy())
	if err != nil {
		return nil, err
	}
	issued, err := a.core.Attest(ctx, request)
	if err != nil {
		return nil, err
	}
	return a.answerSession(issued), nil
}

// caller tells the secrets of the project apart.
func caller(r *http.Request) [sha256.Size]byte {
	_, secret, _ := r.BasicAuth()
	return sha256.Sum256([]byte(secret))
}
