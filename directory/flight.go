package directory

import (
	"context"
	"sync/atomic"
)

// createOnce lets one caller of this node create what many ask for at once:
// without it a thousand requests with one new token would spend a thousand of the
// profile's hourly members on one. (Between nodes the store decides.) Who waited
// gets the refusal of the one who created, else errAgain: it reads again. So the
// key must hold everything that a refusal could depend on.
func (d *Directory) createOnce(ctx context.Context, key string, create func(context.Context) error) error {
	var own atomic.Bool
	_, err := d.flights.Do(ctx, key, func(ctx context.Context) (struct{}, error) {
		own.Store(true)
		return struct{}{}, create(ctx)
	})
	if err == nil && !own.Load() {
		return errAgain
	}
	return err
}
