package authn

import (
	"container/list"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/trust"
)

// A RefusedRequest is what a gateway remembers of a refusal, for whoever has the id
// and asks why. It holds no credential and no claim but those that every token has.
type RefusedRequest struct {
	ID   string
	At   time.Time
	Door string
	// Host, Method and Path are the request's, without query.
	Host, Method, Path string
	// Client is its address, as the door knows it.
	Client       string
	Status       int
	Code, Reason string
	Message      string
	// Profile that refused it, where one was selected.
	Profile string
	// Check of the token that failed, and what was configured and found there. Found is
	// empty where it would be a claim's value.
	Check, Configured, Found, Remedy string
	// Token is what the token shown says of itself.
	Token trust.TokenFacts
}

// Bounds of what is remembered.
const (
	maxRefused        = 10_000
	maxRefusedAlike   = 200 // of one profile, code and client
	maxRefusedText    = 200 // bytes of each text
	maxLinesAlike     = 5   // lines in the log of one profile, code and client, within a second
	maxRefusedClients = 10_000
)

// Refusals remember the last refused requests, at most 10,000 in some 16 MiB, and of
// one profile, code and client the last 200. Make it with NewRefusals; it is safe for
// concurrent use.
type Refusals struct {
	mu    sync.Mutex
	all   *list.List                 // of *RefusedRequest, the oldest first
	alike map[refusalKind]*list.List // their elements by kind, the oldest first
	byID  map[string]*list.Element   // of all
	lines *cache.Cache[refusalKind, *lineCount]
	now   func() time.Time
}

// A refusalKind is what makes refusals alike.
type refusalKind struct{ profile, code, client string }

// lineCount counts lines of one kind within a second.
type lineCount struct {
	since      time.Time
	written    int
	suppressed int
}

// NewRefusals makes one that remembers nothing yet.
func NewRefusals(now func() time.Time) *Refusals {
	return &Refusals{
		all: list.New(), alike: map[refusalKind]*list.List{}, byID: map[string]*list.Element{},
		lines: cache.New[refusalKind, *lineCount](maxRefusedClients), now: now,
	}
}

func (r RefusedRequest) kind() refusalKind { return refusalKind{r.Profile, r.Code, site(r.Client)} }

// site is what one client has: an address, or of IPv6 the /64, in which it may take as
// many addresses as it likes.
func site(client string) string {
	ip, err := netip.ParseAddr(client)
	if err != nil || ip.Unmap().Is4() {
		return client
	}
	prefix, _ := ip.WithZone("").Prefix(64) // of an IPv6 address it does not fail
	return prefix.String()
}

// Shortened is the refusal with every text that a client may have chosen cut to 200
// bytes. The texts are copies: a part of a request's line would keep all of it in memory.
func (r RefusedRequest) Shortened() RefusedRequest {
	for _, text := range []*string{&r.ID, &r.Host, &r.Method, &r.Path, &r.Client, &r.Profile, &r.Configured, &r.Found} {
		*text = shortened(*text)
	}
	return r
}

// Line counts a refusal and tells whether it is to be written to the log, and how many
// alike were not since the last one that was.
func (l *Refusals) Line(r RefusedRequest) (write bool, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	n, ok := l.lines.Get(r.kind())
	if !ok {
		n = &lineCount{since: now}
		l.lines.Set(r.kind(), n)
	}
	if age := now.Sub(n.since); age >= time.Second || age < 0 {
		n.since, n.written = now, 0
	}
	if n.written >= maxLinesAlike {
		n.suppressed++
		return false, 0
	}
	n.written++
	suppressed, n.suppressed = n.suppressed, 0
	return true, suppressed
}

// Fresh tells whether so few of its kind are remembered that no flood is going on.
func (l *Refusals) Fresh(r RefusedRequest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	alike := l.alike[r.kind()]
	return alike == nil || alike.Len() < maxRefusedAlike
}

// Add remembers a refusal, which is to be Shortened. The oldest of its kind goes where
// there are 200, else the oldest of all where there are 10,000.
func (l *Refusals) Add(r RefusedRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	alike := l.alike[r.kind()]
	switch {
	case alike != nil && alike.Len() >= maxRefusedAlike:
		l.forget(alike.Front().Value.(*list.Element))
	case l.all.Len() >= maxRefused:
		l.forget(l.all.Front())
	}
	if alike = l.alike[r.kind()]; alike == nil {
		alike = list.New()
		l.alike[r.kind()] = alike
	}
	e := l.all.PushBack(&r)
	alike.PushBack(e)
	l.byID[r.ID] = e
}

// forget takes out the oldest of its kind, which the oldest of all is too.
func (l *Refusals) forget(e *list.Element) {
	r := l.all.Remove(e).(*RefusedRequest)
	alike := l.alike[r.kind()]
	alike.Remove(alike.Front())
	if alike.Len() == 0 {
		delete(l.alike, r.kind())
	}
	if l.byID[r.ID] == e {
		delete(l.byID, r.ID)
	}
}

func shortened(text string) string {
	if len(text) > maxRefusedText {
		return strings.ToValidUTF8(text[:maxRefusedText], "") + "…"
	}
	return strings.Clone(text)
}

// Find answers the refusal with that id.
func (l *Refusals) Find(id string) (RefusedRequest, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[id]
	if !ok {
		return RefusedRequest{}, false
	}
	return *e.Value.(*RefusedRequest), true
}

// Latest answers at most so many, the newest first.
func (l *Refusals) Latest(limit int) []RefusedRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	var latest []RefusedRequest
	for e := l.all.Back(); e != nil && len(latest) < limit; e = e.Prev() {
		latest = append(latest, *e.Value.(*RefusedRequest))
	}
	return latest
}

// publicChecks are those whose found value is no personal one: who issued the token,
// for whom, by which key, and when.
var publicChecks = []string{"parse", "introspection", "type", "algorithm", "issuer", "audience", "key", "signature", "expiry", "not_before", "issued_at", "age", "lifetime"}

// Refused is what is remembered of a refusal, without the facts of the request.
func (r *Refusal) Refused() RefusedRequest {
	out := RefusedRequest{Code: r.Code, Reason: r.Reason, Message: r.Message, Profile: r.profile()}
	t := r.trustRefusal()
	if t == nil {
		return out
	}
	out.Check, out.Configured, out.Remedy = t.Check, t.Configured, t.Remedy
	if slices.Contains(publicChecks, t.Check) {
		out.Found = t.Found
	}
	return out
}

// TokenFacts are what the token shown says of itself.
func (r *Refusal) TokenFacts() trust.TokenFacts {
	facts, _ := trust.Describe(r.token)
	return facts
}
