// Package bolt keeps records in one file, with bbolt: the default store, for a
// gateway that is one process.
//
// What Apply has acknowledged is on the disk and survives a kill -9 as well as a
// power failure. Writers that come at the same time share a transaction and so a
// sync of the disk; one that comes alone waits for nobody.
//
// # The file
//
// It is made with mode 0600 in a directory made with mode 0700, and belongs to
// one process at a time: [Open] waits for it at most [Options].LockTimeout and
// then says so with [ErrLocked]. Within a process, open a path once and share
// the store.
//
// Beside the records the file holds an index of their ends, by which expired ones
// are removed, and an index of their tags. Removal goes on beside every write and,
// while nothing is written, as long as there is something to remove. The pages that
// become free are used again; a file of which more than half is free is made smaller
// when it is opened. A file of a newer release is refused, never rewritten.
//
// # Faults
//
// [Open] reads the file before it maps it: a truncated or otherwise damaged one is
// an [ErrDamaged]. Where the file shrinks, or its disk fails, while it is open, the
// call that finds it and all later ones are that error, also a store.ErrUnavailable:
// nothing panics, and no call waits longer than its context. A file that has been
// removed or replaced takes no more changes ([ErrMoved]); a disk, quota or limit that
// is reached is a store.ErrFull, and what is stored can be read. [Store.Close]
// returns within seconds in all of these.
package bolt
