package trust

import (
	"fmt"
	"time"
)

// KeyStatus is the state of a remote key set.
type KeyStatus struct {
	// FetchedAt is when the set in force was fetched; zero if there is none.
	FetchedAt time.Time
	// Archived tells that it comes from the archive.
	Archived bool
	// Err is that of the last fetch, nil if it was good. It holds no part of the
	// answer.
	Err error
	// ArchiveErr is that of the last use of the archive.
	ArchiveErr error
	// Keys is how many are usable; Dropped says of the others what is wrong.
	Keys    int
	Dropped []string
}

// Status of the set, for operators.
func (k *RemoteKeys) Status() KeyStatus {
	k.mu.Lock()
	status := KeyStatus{Err: k.state.err, ArchiveErr: k.state.archiveErr}
	k.mu.Unlock()
	set := k.set.Load()
	if set == nil {
		return status
	}
	status.FetchedAt, status.Archived, status.Keys = set.at, set.archived, len(set.all)
	for _, d := range set.dropped {
		status.Dropped = append(status.Dropped, fmt.Sprintf("%s: %s", shown(d.ID), d.Reason))
	}
	return status
}
