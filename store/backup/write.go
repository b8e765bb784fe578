package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// format is the format this release writes and the newest it reads.
const format = 1

// A line is one of the file: exactly one of its members is set.
type line struct {
	Head   *head   `json:"attest_store,omitempty"`
	Record *record `json:"record,omitempty"`
	End    *end    `json:"end,omitempty"`
}

type head struct {
	Format int       `json:"format"`
	MadeAt time.Time `json:"made_at"`
}

// A record is one as it is stored, sealed. Times are milliseconds since 1970, 0 is none.
type record struct {
	Partition string   `json:"partition"`
	Key       string   `json:"key"`
	Version   uint64   `json:"version,omitempty"`
	Expires   int64    `json:"expires,omitempty"`
	Until     int64    `json:"until,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Value     []byte   `json:"value"`
}

type end struct {
	Records int `json:"records"`
}

// Write writes every record of a store, as the store has them: give it the inner store
// of a sealed one. It answers how many there were. The error is an
// errors.ErrUnsupported where the store is no store.Exporter.
func Write(ctx context.Context, w io.Writer, from store.Store, now time.Time) (records int, err error) {
	exporter, ok := from.(store.Exporter)
	if !ok {
		return 0, fmt.Errorf("backup: this store shows no records: %w", errors.ErrUnsupported)
	}
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	if err := lines.Encode(line{Head: &head{format, now.UTC()}}); err != nil {
		return 0, fmt.Errorf("backup: write: %w", err)
	}
	err = exporter.Export(ctx, func(e store.Exported) error {
		records++
		return lines.Encode(line{Record: recordOf(e)})
	})
	if err == nil {
		err = lines.Encode(line{End: &end{records}})
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return records, fmt.Errorf("backup: write: %w", err)
	}
	return records, nil
}

func recordOf(e store.Exported) *record {
	return &record{
		Partition: e.Partition, Key: e.Key, Version: e.Version, Value: e.Value, Tags: e.Tags,
		Expires: store.Millis(e.ExpiresAt), Until: store.Millis(e.Until),
	}
}
