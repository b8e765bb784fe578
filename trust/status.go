package trust

import "time"

// KeyStatus is the state of a key source.
type KeyStatus struct {
	// FetchedAt is when the set in force was fetched; zero if there is none, or it
	// came with the configuration.
	FetchedAt time.Time
	// Archived tells that it comes from the archive.
	Archived bool
	// Err is that of the last fetch, nil if it was good. It holds no part of the
	// answer.
	Err error
	// ArchiveErr is that of the last use of the archive.
	ArchiveErr error
	// Keys is how many are usable; Dropped are the others, with the reason.
	Keys    int
	Dropped []DroppedKey
}

// DroppedKey is a key of a set that is not used.
type DroppedKey struct {
	// ID is the kid, as far as there is one; Reason is why the key is not used.
	ID, Reason string
}

func (d DroppedKey) String() string { return printable(d.ID) + ": " + d.Reason }

// Status of the set, for operators.
func (k *RemoteKeys) Status() KeyStatus {
	status := KeyStatus{}
	if set := k.set.Load(); set != nil {
		status = set.status()
		status.FetchedAt, status.Archived = set.at, set.archived
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	status.Err, status.ArchiveErr = k.state.err, k.state.archiveErr
	return status
}
