// Package backup writes all records of a store to a file, and brings the records of
// such a file into an empty store.
//
// The records stay sealed on their way, and the file is worth nothing without the
// secret. It is one JSON object a line: a head, the records, and an end that counts
// them, so that a file that was cut off is told from a whole one.
package backup
