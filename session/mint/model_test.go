package mint_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
)

// TestRotationModel (F26) turns the ring of two nodes in whatever order and asks
// upstreams that cache the JWKS for as long as they may: no JWT that has not
// expired, and was not signed with a denied key, ever fails to verify, wherever
// it was minted and whichever node the JWKS came from. Only an emergency may cost
// an upstream the time until it fetches again.
func TestRotationModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newRingWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"step":      w.doStep,
			"long step": w.doLongStep,
			"rotate":    w.doRotate,
			"emergency": w.doEmergency,
			"restart":   w.doRestart,
			"fail":      w.doFailover,
			"":          w.check,
		})
	})
}

const (
	maxAge      = 5 * time.Minute  // of the JWKS
	tickEvery   = 4 * time.Minute  // of a node; more often is no harder
	modelLife   = 20 * time.Minute // of a JWT
	rotateEvery = time.Hour
)

type ringWorld struct {
	*fleet
	rings     [2]*mint.Ring
	minted    []mint.JWT
	upstreams [2]upstream // one for each node
	denied    map[string]bool
	emergency time.Time // the last
	records   []store.Record
}

// upstream is what a verifier holds of one node's JWKS.
type upstream struct {
	kids    []string
	fetched time.Time
}

// inModel is the testing.TB of the fleet inside the model: rapid has its own.
type inModel struct{ testing.TB }

func (inModel) Helper() {}

func (inModel) Fatal(args ...any) { panic(args) }

func newRingWorld(t *rapid.T) *ringWorld {
	w := &ringWorld{fleet: newFleet(inModel{}), denied: map[string]bool{}}
	w.rings[0], w.rings[1] = w.openModel(), w.openModel()
	w.fetch()
	return w
}

func (w *ringWorld) openModel() *mint.Ring {
	return w.open(mint.RingConfig{Algorithm: "EdDSA", RotateEvery: rotateEvery, MaxLifetime: modelLife})
}

func (w *ringWorld) node(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "node") }

// pass lets time go by: nodes tick, and mint something, upstreams fetch when they
// must.
func (w *ringWorld) pass(t *rapid.T, d time.Duration) {
	for ; d > 0; d -= tickEvery {
		w.clock.Advance(min(d, tickEvery))
		for i, r := range w.rings {
			if err := r.Tick(ctx); err != nil {
				t.Fatal(err)
			}
			w.mintOn(t, i)
		}
		w.fetch()
	}
}

func (w *ringWorld) mintOn(t *rapid.T, i int) {
	m, err := mint.New(mint.Config{Ring: w.rings[i], Issuer: issuer, ProjectID: project, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	r := w.request()
	r.Lifetime = modelLife
	jwt, err := m.Mint(r)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(w.minted, func(old mint.JWT) bool { return old.KeyID == jwt.KeyID })
	if at >= 0 {
		w.minted[at] = jwt // the youngest of a key says what the others would
		return
	}
	if !verifiesWith(inModel{}, w.rings[i].JWKS(), jwt.Text) {
		t.Fatal("it does not verify with the key it names")
	}
	w.minted = append(w.minted, jwt)
}

func (w *ringWorld) fetch() {
	for i, r := range w.rings {
		if u := &w.upstreams[i]; u.kids == nil || w.clock.Now().Sub(u.fetched) >= maxAge {
			u.kids, u.fetched = kids(inModel{}, r.JWKS()), w.clock.Now()
		}
	}
}

func (w *ringWorld) doStep(t *rapid.T) {
	w.pass(t, time.Duration(rapid.IntRange(1, 120).Draw(t, "seconds"))*time.Second)
}

func (w *ringWorld) doLongStep(t *rapid.T) {
	w.pass(t, time.Duration(rapid.IntRange(10, 70).Draw(t, "minutes"))*time.Minute)
}

func (w *ringWorld) doRotate(t *rapid.T) {
	i := w.node(t)
	_ = w.rings[i].Rotate(ctx, mint.RotateOptions{}) // too early is an answer
	w.mintOn(t, i)
	w.records = append(w.records, w.record())
}

func (w *ringWorld) doEmergency(t *rapid.T) {
	i := w.node(t)
	kid := rapid.SampledFrom(kids(inModel{}, w.rings[i].JWKS())).Draw(t, "kid")
	if err := w.rings[i].Rotate(ctx, mint.RotateOptions{Emergency: true, KeyID: kid}); err != nil && err != mint.ErrUnknownKey {
		t.Fatal(err)
	}
	w.denied[kid] = true
	w.emergency = w.clock.Now()
	w.mintOn(t, i)
}

// doRestart replaces one node; the other remembers.
func (w *ringWorld) doRestart(t *rapid.T) {
	i := w.node(t)
	if err := w.rings[1-i].Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	w.rings[i] = w.openModel()
}

// doFailover lets the store fall back by up to a few records; both nodes live on.
func (w *ringWorld) doFailover(t *rapid.T) {
	if len(w.records) == 0 {
		t.Skip("nothing to fall back to")
	}
	last := w.records[len(w.records)-1]
	for _, r := range w.rings {
		if err := r.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	w.fallBack(last)
	if err := w.rings[w.node(t)].Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	w.records = nil
}

func (w *ringWorld) check(t *rapid.T) {
	now := w.clock.Now()
	live := w.minted[:0]
	for _, jwt := range w.minted {
		if now.Before(jwt.ExpiresAt) && !w.denied[jwt.KeyID] {
			live = append(live, jwt)
		}
	}
	w.minted = live
	for _, jwt := range live {
		for i, u := range w.upstreams {
			if u.fetched.Before(w.emergency.Add(tickEvery)) && now.Before(w.emergency.Add(tickEvery+maxAge)) {
				continue
			}
			if !slices.Contains(u.kids, jwt.KeyID) {
				t.Fatalf("an upstream of node %d does not know key %s, which signed %s ago", i, jwt.KeyID, now.Sub(jwt.IssuedAt))
			}
		}
	}
	for i, r := range w.rings {
		s := states(r)
		if len(inState(r, "active")) != 1 || len(inState(r, "next")) > 1 {
			t.Fatalf("node %d holds %v", i, s)
		}
	}
}
