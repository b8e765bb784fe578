package session

import (
	"context"
	"sync"
)

// turns lets the changes of one session follow one another on a node, so that
// they compete with those of other nodes only. Its zero value is ready.
type turns struct {
	mu   sync.Mutex
	byID map[string]*turn
}

type turn struct {
	held    chan struct{} // full while somebody has the turn
	callers int           // who has it or waits for it
}

// take waits for the turn of a session; release gives it on.
func (t *turns) take(ctx context.Context, id string) (release func(), err error) {
	mine := t.join(id)
	select {
	case mine.held <- struct{}{}:
		return func() { <-mine.held; t.leave(id, mine) }, nil
	case <-ctx.Done():
		t.leave(id, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) join(id string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = map[string]*turn{}
	}
	mine, ok := t.byID[id]
	if !ok {
		mine = &turn{held: make(chan struct{}, 1)}
		t.byID[id] = mine
	}
	mine.callers++
	return mine
}

func (t *turns) leave(id string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.callers--; mine.callers == 0 {
		delete(t.byID, id)
	}
}
