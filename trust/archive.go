package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"
)

// archiveEvery is how often an unchanged set is archived again, so that its age
// stays known.
const archiveEvery = time.Hour

type archiveState struct {
	savedSum   [32]byte
	savedAt    time.Time
	loaded     bool
	archiveErr error
}

// saveArchive keeps a good set, if it is new or was last kept long ago.
func (k *RemoteKeys) saveArchive(ctx context.Context, body []byte, now time.Time) {
	if k.config.Archive == nil {
		return
	}
	sum := sha256.Sum256(body)
	k.mu.Lock()
	s := &k.state
	due := !bytes.Equal(s.savedSum[:], sum[:]) || !within(now.Sub(s.savedAt), archiveEvery)
	k.mu.Unlock()
	if !due {
		return
	}
	err := k.config.Archive.Save(ctx, k.config.URL, body, now)
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.archiveErr = err; err == nil {
		s.savedSum, s.savedAt = sum, now
	}
}

// useArchive puts the archived set in force where there is none and the endpoint
// is down, so that a restart during an outage of the issuer does not refuse every token.
// It is read once.
func (k *RemoteKeys) useArchive(ctx context.Context) {
	k.mu.Lock()
	first := !k.state.loaded
	k.state.loaded = true
	k.mu.Unlock()
	if !first || k.config.Archive == nil || k.set.Load() != nil {
		return
	}
	err := k.loadArchive(context.WithoutCancel(ctx))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.archiveErr = err
}

func (k *RemoteKeys) loadArchive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	data, at, err := k.config.Archive.Load(ctx, k.config.URL)
	if err != nil || len(data) == 0 {
		return err
	}
	set, err := parseKeys(data)
	if err != nil {
		return err
	}
	k.set.Store(&fetchedSet{keyIndex: newKeyIndex(set), at: at, archived: true})
	return nil
}
