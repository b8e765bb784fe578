// Package memory keeps records in this process: for tests, for trying things
// out, and for a gateway whose sessions may end with it (`store memory`).
//
// Nothing outlives the process and nothing is shared with another. Records
// are never evicted for others: they go when they expire or are deleted, and a
// store made with [NewBounded] refuses new ones with store.ErrFull rather than
// log somebody out. A session costs well under one kilobyte.
package memory
