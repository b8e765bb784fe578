package trust_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/trust"
)

// countingArchive keeps one set in memory.
type countingArchive struct {
	mu           sync.Mutex
	url          string
	data         []byte
	at           time.Time
	err          error
	loads, saves int
}

func (a *countingArchive) Load(_ context.Context, url string) ([]byte, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loads++
	if url != a.url {
		return nil, time.Time{}, a.err
	}
	return a.data, a.at, a.err
}

func (a *countingArchive) Save(_ context.Context, url string, data []byte, at time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saves++
	a.url, a.data, a.at = url, data, at
	return a.err
}

func (a *countingArchive) count() (loads, saves int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loads, a.saves
}

func withKeys(k trust.KeySource) func(*trust.Config) {
	return func(c *trust.Config) { c.Keys = k }
}

// An outage of the issuer and a restart of ours together are not the end.
func TestArchiveServesAfterARestart(t *testing.T) {
	w := newWorld(t)
	archive := &countingArchive{}
	config := trust.RemoteConfig{Archive: archive}
	accept(t, w.profile(withKeys(w.Keys(config))), w.Sign(nil))

	w.Down()
	w.clock.Advance(time.Hour)
	keys := w.Keys(config)
	p := w.profile(withKeys(keys))
	token := w.Sign(nil)
	accept(t, p, token)
	if s := keys.Status(); !s.Archived || s.Keys != 1 || s.Err == nil || w.clock.Now().Sub(s.FetchedAt) != time.Hour {
		t.Errorf("%+v", s)
	}
	fetches := w.Fetches()
	accept(t, p, token)
	if w.Fetches() != fetches {
		t.Error("an archived set does not spare a fetch for every token")
	}

	w.Up()
	if err := keys.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := keys.Status(); s.Archived || s.Err != nil || !s.FetchedAt.Equal(w.clock.Now()) {
		t.Errorf("%+v", s)
	}
}

// Nothing that is older than stale_keys is used, wherever it was kept.
func TestArchiveIsNotBelievedForever(t *testing.T) {
	w := newWorld(t)
	archive := &countingArchive{}
	config := trust.RemoteConfig{Archive: archive, StaleFor: time.Hour}
	accept(t, w.profile(withKeys(w.Keys(config))), w.Sign(nil))
	w.Down()
	w.clock.Advance(time.Hour + time.Second)
	_, err := w.profile(withKeys(w.Keys(config))).Verify(t.Context(), w.Sign(nil))
	unavailable(t, err)
}

func TestArchiveOfAnotherURLOrOfRubbishIsNoSet(t *testing.T) {
	for name, archive := range map[string]*countingArchive{
		"nothing":     {},
		"rubbish":     {data: []byte("<html>")},
		"no keys":     {data: []byte(`{"keys":[]}`)},
		"another URL": {url: "https://other"},
		"a fault":     {err: errors.New("disk")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Down()
			if archive.data != nil {
				archive.url, archive.at = w.JWKS, w.clock.Now()
			}
			if archive.url != "" && archive.data == nil {
				archive.data, archive.at = w.KeySet(), w.clock.Now()
			}
			keys := w.Keys(trust.RemoteConfig{Archive: archive})
			_, err := w.profile(withKeys(keys)).Verify(t.Context(), w.Sign(nil))
			unavailable(t, err)
			if s := keys.Status(); s.Keys != 0 || (s.ArchiveErr == nil) != (name == "nothing" || name == "another URL") {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A set is archived when it is new, and again each hour so that its age is known.
func TestArchiveIsWrittenSeldom(t *testing.T) {
	w := newWorld(t)
	archive := &countingArchive{}
	keys := w.Keys(trust.RemoteConfig{Archive: archive})
	for _, step := range []struct {
		advance time.Duration
		rotate  bool
		saves   int
	}{{0, false, 1}, {5 * time.Minute, false, 1}, {5 * time.Minute, true, 2}, {30 * time.Minute, false, 2}, {30 * time.Minute, false, 3}} {
		w.clock.Advance(step.advance)
		if step.rotate {
			w.Rotate()
		}
		if err := keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, saves := archive.count(); saves != step.saves {
			t.Errorf("%d saves, want %d", saves, step.saves)
		}
	}
}

// An archive that fails costs nothing but the archive.
func TestArchiveThatFails(t *testing.T) {
	w := newWorld(t)
	archive := &countingArchive{err: errors.New("disk full")}
	keys := w.Keys(trust.RemoteConfig{Archive: archive})
	accept(t, w.profile(withKeys(keys)), w.Sign(nil))
	if s := keys.Status(); s.ArchiveErr == nil || s.Err != nil || s.Keys != 1 {
		t.Errorf("%+v", s)
	}
}
