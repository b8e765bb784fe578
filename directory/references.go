package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// A reference is the external id or slug of an organization that is not
// configured. It lives in another partition than the organization, so the two
// cannot change together: the organization is written before a reference to it
// is believed, and a reference is believed only while the organization bears it.
// Whatever a crash leaves between the two is a reference that nobody bears; after
// staleAfter anybody may take it.

// staleAfter is longer than anybody takes from claiming a reference to writing
// the organization that bears it.
const staleAfter = time.Minute

// reference is what the index says of a text now.
type reference struct {
	organization string // empty: nothing
	at           time.Time
	version      uint64
}

func readReference(r store.Record) (reference, error) {
	if !r.Exists() {
		return reference{}, nil
	}
	var stored referenceRecord
	err := decode(r, &stored)
	return reference{organization: stored.Organization, at: stored.At, version: r.Version}, err
}

func (d *Directory) readReferences(ctx context.Context, texts []string) ([]reference, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	keys := make([]string, len(texts))
	for i, text := range texts {
		keys[i] = d.names.reference(text)
	}
	records, err := d.store.Get(ctx, referencePartition, keys...)
	if err != nil {
		return nil, fmt.Errorf("directory: references: %w", err)
	}
	found := make([]reference, len(texts))
	for i, r := range records {
		if found[i], err = readReference(r); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// takenError says that a text names another organization already.
type takenError struct{ text string }

func (e *takenError) Error() string { return "directory: reference is taken" }

// claimReferences makes the texts refer to the organization. Where one of them
// refers to another, the error is a *takenError; revive tells whether a deleted
// organization's may be taken.
func (d *Directory) claimReferences(ctx context.Context, organizationID string, texts []string, revive bool) error {
	if len(texts) == 0 {
		return nil
	}
	found, err := d.readReferences(ctx, texts)
	if err != nil {
		return err
	}
	ops := make([]store.Op, len(texts))
	for i, text := range texts {
		if err := d.checkFree(ctx, organizationID, text, found[i], revive); err != nil {
			return err
		}
		entry := referenceRecord{Organization: organizationID, At: d.time()}
		// One that is ours already is written anew: whoever is about to release it
		// must find it changed.
		if ops[i], err = write(d.names.reference(text), found[i].version, entry); err != nil {
			return err
		}
	}
	if err := d.store.Apply(ctx, referencePartition, ops...); err != nil {
		return fmt.Errorf("directory: references: %w", err)
	}
	return nil
}

// checkFree tells whether the organization may be called text.
func (d *Directory) checkFree(ctx context.Context, organizationID, text string, now reference, revive bool) error {
	if d.configured.byReference[text] != nil {
		return &takenError{text}
	}
	if now.organization == "" || now.organization == organizationID {
		return nil
	}
	holder, _, err := d.open(ctx, now.organization)
	switch {
	case err != nil:
		return err
	case holder.hasReference(text) && !(revive && holder.deleted()):
		return &takenError{text}
	case !holder.hasReference(text) && d.time().Before(now.at.Add(staleAfter)):
		return errAgain // its holder may be about to bear it
	}
	return nil
}

// hasReference tells whether the text is the organization's external id or slug.
func (o *storedOrganization) hasReference(text string) bool {
	return o.exists() && (o.externalID() == text || o.slug() == text)
}

// releaseReferences gives up texts that the organization bore until now, as they
// were before the change: one that was claimed again since stays. It is tidying:
// a reference that stays behind is not believed, so neither a conflict nor a
// fault undoes the change that is already made.
func (d *Directory) releaseReferences(ctx context.Context, organizationID string, texts []string, before []reference) {
	for i, text := range texts {
		if before[i].organization == organizationID {
			_ = d.store.Apply(ctx, referencePartition, store.Op{Key: d.names.reference(text), Expect: before[i].version})
		}
	}
}

// isTaken tells which text was taken.
func isTaken(err error) (string, bool) {
	var taken *takenError
	if errors.As(err, &taken) {
		return taken.text, true
	}
	return "", false
}
