package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store/sealed"
)

// resealAtMost is the longest pause between two passes over the store: while it
// cannot be read, or while other gateways still seal with a former secret.
const resealAtMost = 10 * time.Minute

// errNotLast reports a pass that found something to rewrite. The next one tells
// whether that was all.
var errNotLast = errors.New("attest: records are still being resealed")

// reseal seals everything that the store holds with the first secret, and tells
// when the others can go: after a pass that found no more to do.
func (a *App) reseal(ctx context.Context, s *sealed.Store) error {
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = resealAtMost
	rewritten := 0
	last, err := backoff.Retry(ctx, func() (sealed.Resealed, error) {
		pass, err := s.Reseal(ctx)
		rewritten += pass.Rewritten
		return pass, a.another(ctx, pass, err)
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		a.logger.Warn("this store cannot be resealed: records that never change need the secret they were made with, so none can be removed")
	case err != nil:
		return err
	default:
		a.logger.Info(resealedText(last),
			zap.Int("records", last.Seen), zap.Int("resealed", rewritten), zap.Int("broken", last.Broken))
	}
	return nil
}

// another is nil after the last pass, and else why there must be another.
func (a *App) another(ctx context.Context, pass sealed.Resealed, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errors.ErrUnsupported):
		return backoff.Permanent(err)
	case err != nil:
		a.logger.Error("the store could not be resealed; it is tried again", zap.Error(err))
		return err
	case pass.Rewritten > 0:
		return errNotLast
	}
	return nil
}

func resealedText(last sealed.Resealed) string {
	if last.Broken > 0 {
		return "every stored record that opens is sealed with the first secret; some open under none"
	}
	return "every stored record is sealed with the first secret; the others can be removed from every gateway that has it first"
}
