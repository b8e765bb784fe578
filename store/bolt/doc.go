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
// are removed, with every write and once a minute, and an index of their tags. A
// file of a newer release is refused, never rewritten.
package bolt
