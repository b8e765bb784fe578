package store

import (
	"context"
	"time"
)

// Exporter is a further ability of a store: showing every record as it was written,
// which a backup needs.
type Exporter interface {
	// Export calls fn with every record that exists, each as it stands when it is
	// read, ordered by partition and key, never twice at once. What is made or goes
	// meanwhile may be shown or not. Export holds nothing while fn runs. It ends with
	// the first error of fn, which it returns as it is.
	Export(ctx context.Context, fn func(Exported) error) error
}

// Exported is a record with what a reader is not told.
type Exported struct {
	Partition string
	Record
	// Until is the store's own time-to-live, as in Op.
	Until time.Time
	Tags  []string
}
