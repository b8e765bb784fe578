package backup

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// only is a store of one record of a file, from which sealed opens it.
type only struct{ r *record }

func (o only) Get(_ context.Context, _ string, keys ...string) ([]store.Record, error) {
	return []store.Record{{Key: keys[0], Value: o.r.Value, Version: o.r.Version, ExpiresAt: store.FromMillis(o.r.Expires)}}, nil
}

func (only) List(context.Context, string) ([]store.Ref, error) { return nil, errors.ErrUnsupported }

func (only) Apply(context.Context, string, ...store.Op) error { return errors.ErrUnsupported }

func (only) Touch(context.Context, string, string, time.Time) error { return errors.ErrUnsupported }
