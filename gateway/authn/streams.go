package authn

import (
	"container/heap"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// Streams are the connections that stay open after they were admitted: each ends with what
// admitted it. Nothing is asked over and over: a stream is looked at when something that it
// rests on changes, and when it can lapse by itself. Configurations that follow one another
// share it, so that streams of an older one end too. It is safe for concurrent use.
type Streams struct {
	mu            sync.Mutex
	sessions      groups // by the session
	organizations groups // by its organization
	queue         streamQueue
	wake          chan struct{}
}

// NewStreams is one without streams.
func NewStreams() *Streams {
	return &Streams{sessions: groups{}, organizations: groups{}, wake: make(chan struct{}, 1)}
}

// groups are streams that something concerns together.
type groups map[string]map[*Stream]struct{}

func (g groups) add(key string, s *Stream) {
	if g[key] == nil {
		g[key] = map[*Stream]struct{}{}
	}
	g[key][s] = struct{}{}
}

func (g groups) remove(key string, s *Stream) {
	if delete(g[key], s); len(g[key]) == 0 {
		delete(g, key)
	}
}

// A Stream is one of them.
type Stream struct {
	core         *Authenticator // of the configuration that admitted it
	session, org string
	route        *CompiledRoute
	by           Presented
	end          func()
	ending       sync.Mutex // held while end runs

	at    time.Time // when it is to be looked at
	index int       // in the queue; -1: it has left
	until time.Time // when what admitted it ends at the latest, as far as is known
	away  time.Time // since when it could not be looked at; zero while it can

	idle   time.Duration
	active atomic.Int64 // when a client's bytes were last noted
}

// outageGrace is how long a stream goes on at least while the store cannot be asked about
// its session.
const outageGrace = time.Minute

// lookAtLeast bounds how long a stream goes without a look, in case the store did not tell
// of a change.
const lookAtLeast = 5 * time.Minute

// Join has end called when the session is no longer admitted at the route. Who is done
// before calls Leave.
func (a *Authenticator) Join(d Decision, route *CompiledRoute, by Presented, end func()) *Stream {
	s := &Stream{
		core: a, session: d.Session.ID, org: d.Organization.ID, route: route, end: end,
		by: Presented{Method: by.Method, Host: by.Host, Client: by.Client}, // what requirements ask for, and no credential
		at: a.Now(), until: d.Session.EndsAt(), idle: d.Session.Idle,
	}
	a.Streams.mu.Lock()
	defer a.Streams.mu.Unlock()
	a.Streams.sessions.add(s.session, s)
	a.Streams.organizations.add(s.org, s)
	heap.Push(&a.Streams.queue, s) // it may have been revoked since it was admitted
	a.Streams.ring()
	return s
}

// Leave is for a stream that has ended. After it has returned, end is not called any more,
// nor running: what it would end may be another request's by then.
func (s *Stream) Leave() {
	s.ending.Lock()
	defer s.ending.Unlock()
	s.core.Streams.leave(s)
}

// endNow ends a stream that has not left.
func (s *Stream) endNow() {
	s.ending.Lock()
	defer s.ending.Unlock()
	if s.core.Streams.leave(s) {
		s.end()
	}
}

func (x *Streams) leave(s *Stream) (was bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.index < 0 {
		return false
	}
	heap.Remove(&x.queue, s.index)
	x.sessions.remove(s.session, s)
	x.organizations.remove(s.org, s)
	return true
}

// Active notes that the client has sent something: that is a use of the session.
func (s *Stream) Active() {
	if s.idle == 0 {
		return
	}
	now := s.core.Now()
	last := s.active.Load()
	if now.Sub(time.Unix(0, last)) < min(time.Minute, s.idle/10) || !s.active.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	go func() {
		ctx := context.Background()
		if live, err := s.core.liveSession(ctx, s.session); err == nil {
			s.core.recordAccess(ctx, live.Session)
		}
	}()
}

// ring wakes who looks.
func (x *Streams) ring() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// look has streams looked at now.
func (x *Streams) look(group map[*Stream]struct{}) {
	for s := range group {
		s.at = time.Time{}
		heap.Fix(&x.queue, s.index)
	}
	if len(group) > 0 {
		x.ring()
	}
}

func (x *Streams) lookAtSession(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.look(x.sessions[id])
}

func (x *Streams) lookAtOrganization(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.look(x.organizations[id])
}

func (x *Streams) lookAtAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, group := range x.organizations {
		x.look(group)
	}
}

// apply is for what the store tells of changes.
func (x *Streams) apply(e store.Event) {
	if id, ok := session.Changed(e); ok && !e.Flush {
		x.lookAtSession(id)
		return
	}
	switch entity, ok := directory.Changed(e); {
	case e.Flush, ok && entity.Profile != "":
		x.lookAtAll()
	case ok:
		x.lookAtOrganization(entity.OrganizationID)
	}
}

// told is for changes that this gateway makes, which hold here also where the store did not
// take them.
func (x *Streams) told(e Event) {
	switch {
	case e.SessionID != "" && e.Action == SessionRevoked:
		x.lookAtSession(e.SessionID)
	case e.Action == MemberRevoked, e.Action == MemberDeleted, e.Action == OrganizationRevoked, e.Action == OrganizationDeleted:
		x.lookAtOrganization(e.OrganizationID)
	case e.Action == ProfileRevoked, e.Action == ProfileDisabled:
		x.lookAtAll()
	}
}

// due are the streams to be looked at, and how long it is until the next.
func (x *Streams) due(now time.Time) (list []*Stream, next time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.queue) > 0 && !x.queue[0].at.After(now) {
		s := x.queue[0]
		list = append(list, s)
		s.at = now.Add(lookAtLeast) // who looks says when again
		heap.Fix(&x.queue, 0)
	}
	if len(x.queue) == 0 {
		return list, lookAtLeast
	}
	return list, x.queue[0].at.Sub(now)
}

// again says when a stream is looked at next.
func (x *Streams) again(s *Stream, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.index >= 0 && at.Before(s.at) && !s.at.IsZero() {
		s.at = at
		heap.Fix(&x.queue, s.index)
	}
}

// lookers bounds how many streams are looked at at once.
const lookers = 32

// followStreams ends streams until ctx ends.
func (a *Authenticator) followStreams(ctx context.Context) {
	for ctx.Err() == nil {
		list, next := a.Streams.due(a.Now())
		slots, work := make(chan struct{}, lookers), sync.WaitGroup{}
		for _, s := range list {
			slots <- struct{}{}
			work.Go(func() {
				a.lookAt(ctx, s)
				<-slots
			})
		}
		work.Wait()
		if len(list) > 0 {
			continue
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-a.Streams.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// lookAt ends a stream whose session is no longer admitted at its route.
func (a *Authenticator) lookAt(ctx context.Context, s *Stream) {
	live, err := a.liveSession(ctx, s.session)
	_, err = a.observeLive(ctx, s.by, s.route, live, err)
	now := a.Now()
	switch {
	case ctx.Err() != nil: // who follows looks
		a.Streams.again(s, now)
		a.Streams.ring()
	case err == nil:
		a.Streams.seen(s, live.Session.EndsAt())
		a.Streams.again(s, a.lapses(s, live, now))
	case IsFault(err) && a.Streams.goesOn(s, now, max(outageGrace, a.Cache.ServeStale)):
		a.Streams.again(s, now.Add(time.Second))
	default:
		s.endNow()
	}
}

// seen notes that the session of a stream could be read, and when it ends.
func (x *Streams) seen(s *Stream, until time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s.away, s.until = time.Time{}, until
}

// goesOn tells whether a stream outlasts that its session cannot be read: not its known
// end, and not longer than that.
func (x *Streams) goesOn(s *Stream, now time.Time, grace time.Duration) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.away.IsZero() {
		s.away = now
	}
	return now.Before(s.until) && now.Before(s.away.Add(grace))
}

// lapses is the next moment at which the session could cease to be admitted by itself.
func (a *Authenticator) lapses(s *Stream, live LiveSession, now time.Time) time.Time {
	next := live.Session.EndsAt()
	sooner := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	for _, f := range live.Factors {
		if p, ok := a.Profiles.Profile(f.Profile); ok && p.Config().Factor.ValidFor > 0 {
			sooner(f.ProvedAt.Add(p.Config().Factor.ValidFor))
		}
		for _, q := range s.route.require {
			for _, age := range []time.Duration{q.Within, q.Fresh} {
				if age > 0 && !f.ProvedAt.IsZero() {
					sooner(f.ProvedAt.Add(age))
				}
			}
		}
	}
	return next
}

// streamQueue has the stream that is to be looked at next before the others.
type streamQueue []*Stream

// Len implements heap.Interface.
func (q streamQueue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q streamQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }

// Swap implements heap.Interface.
func (q streamQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *streamQueue) Push(v any) {
	s := v.(*Stream)
	s.index = len(*q)
	*q = append(*q, s)
}

// Pop implements heap.Interface.
func (q *streamQueue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	(*q)[last], s.index = nil, -1
	*q = (*q)[:last]
	return s
}
