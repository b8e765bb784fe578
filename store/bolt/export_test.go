package bolt

import "go.etcd.io/bbolt"

// Commits is how many transactions a closed store has done.
func (s *Store) Commits() int {
	<-s.stopped
	return s.commits
}

// Held is how many records the file of an open store holds, expired or not.
func (s *Store) Held() (n int) {
	_ = s.file.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(recordsBucket).Stats().KeyN
		return nil
	})
	return n
}
