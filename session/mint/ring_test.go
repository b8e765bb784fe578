package mint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/record"
)

func TestOpenRingMakesOne(t *testing.T) {
	for _, alg := range []string{"", "ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			f := newFleet(t)
			r := f.open(mint.RingConfig{Algorithm: alg})
			if len(inState(r, "active")) != 1 || len(inState(r, "next")) != 1 || len(states(r)) != 2 {
				t.Fatalf("keys are %v", states(r))
			}
			if r.ActiveID() != inState(r, "active")[0] {
				t.Errorf("active is %s", r.ActiveID())
			}
			if alg == "" {
				alg = "ES256"
			}
			for _, k := range published(t, r.JWKS()) {
				if k.Algorithm != alg || k.ID != k.Thumbprint || k.Use != "sig" {
					t.Errorf("key is %+v", k)
				}
			}
		})
	}
}

// K-06: nothing private is published, for any kind of key.
func TestJWKSIsPublic(t *testing.T) {
	allowed := map[string]bool{
		"kty": true, "use": true, "key_ops": true, "alg": true, "kid": true,
		"crv": true, "x": true, "y": true, "n": true, "e": true,
	}
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		f := newFleet(t)
		r := f.open(mint.RingConfig{Algorithm: alg})
		set, err := strictjson.Object(r.JWKS())
		if err != nil {
			t.Fatal(err)
		}
		keys := set["keys"].([]any)
		if len(keys) != 2 {
			t.Errorf("%s: %d keys", alg, len(keys))
		}
		for _, k := range keys {
			for name := range k.(map[string]any) {
				if !allowed[name] {
					t.Errorf("%s: member %s is published", alg, name)
				}
			}
			if ops := fmt.Sprint(k.(map[string]any)["key_ops"]); ops != "[verify]" {
				t.Errorf("%s: key_ops are %s", alg, ops)
			}
		}
	}
}

func TestRingRefuses(t *testing.T) {
	s := memory.New(nil)
	for want, c := range map[string]mint.RingConfig{
		"no store":                  {},
		"algorithm: must be":        {Store: s, Algorithm: "HS256"},
		"rotate_every: is negative": {Store: s, RotateEvery: -1},
		"jwt_lifetime: is negative": {Store: s, MaxLifetime: -1},
		"must be ES256":             {Store: s, Algorithm: "none"},
	} {
		if _, err := mint.OpenRing(ctx, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

// Nodes that open the ring first at the same moment end with the same one.
func TestOpenRingTogether(t *testing.T) {
	f := newFleet(t)
	const n = 16
	rings := make([]*mint.Ring, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			r, err := mint.OpenRing(ctx, mint.RingConfig{Store: f.store, Now: f.clock.Now})
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = r
		})
	}
	all.Wait()
	for _, r := range rings {
		if r == nil || fmt.Sprint(states(r)) != fmt.Sprint(states(rings[0])) || len(states(r)) != 2 {
			t.Fatalf("rings differ: %v", rings)
		}
	}
	if n := f.store.writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// F23: a fresh node, or the same one after kill -9, signs with what upstreams know.
func TestFreshNodeSignsWithTheActiveKey(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	jwt := f.mint(m, f.request())
	fresh, ring := f.node()
	if ring.ActiveID() != r.ActiveID() {
		t.Fatal("it has another key")
	}
	if _, err := fresh.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Error(err)
	}
	if again := f.mint(fresh, f.request()); again.KeyID != jwt.KeyID || !verifiesWith(t, r.JWKS(), again.Text) {
		t.Error("upstreams do not know its key")
	}
	if n := f.store.writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestRotationInTime(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{RotateEvery: 24 * time.Hour, MaxLifetime: 30 * time.Minute})
	first, second := inState(r, "active")[0], inState(r, "next")[0]
	tick := func(d time.Duration) {
		t.Helper()
		f.clock.Advance(d)
		if err := r.Tick(ctx); err != nil {
			t.Fatal(err)
		}
	}
	tick(24*time.Hour - time.Millisecond)
	if r.ActiveID() != first {
		t.Fatal("rotated too early")
	}
	tick(time.Millisecond)
	if r.ActiveID() != second || states(r)[first] != "retired" || len(inState(r, "next")) != 1 {
		t.Fatalf("keys are %v", states(r))
	}
	tick(90*time.Minute - time.Millisecond) // 30 min that a JWT may live, and an hour
	if !slices.Contains(kids(t, r.JWKS()), first) {
		t.Error("the retired key went too early")
	}
	tick(time.Millisecond)
	if slices.Contains(kids(t, r.JWKS()), first) {
		t.Error("the retired key is still published")
	}
	if len(states(r)) != 2 {
		t.Errorf("keys are %v", states(r))
	}
}

// A key is published ten minutes before it signs, however often one would like
// to rotate.
func TestNextKeyIsPublishedAhead(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{RotateEvery: 10 * time.Second})
	since := map[string]time.Time{}
	rotations := 0
	for active := r.ActiveID(); rotations < 5; {
		for _, kid := range kids(t, r.JWKS()) {
			if _, ok := since[kid]; !ok {
				since[kid] = f.clock.Now()
			}
		}
		f.clock.Advance(10 * time.Second)
		if err := r.Tick(ctx); err != nil {
			t.Fatal(err)
		}
		if r.ActiveID() == active {
			continue
		}
		active = r.ActiveID()
		rotations++
		published, ok := since[active]
		if ahead := f.clock.Now().Sub(published); !ok || ahead < mint.PublishAhead {
			t.Fatalf("a key signs that has been published for %s", ahead)
		}
	}
}

func TestRotateByHand(t *testing.T) {
	f := newFleet(t)
	r, other := f.open(mint.RingConfig{}), f.open(mint.RingConfig{})
	second := inState(r, "next")[0]
	ready := f.clock.In(mint.PublishAhead)
	var early *mint.TooEarlyError
	if err := r.Rotate(ctx, mint.RotateOptions{}); !errors.As(err, &early) || !early.ReadyAt.Equal(ready) {
		t.Fatalf("error is %v", err)
	}
	if s := r.Status(); s.Err != nil {
		t.Errorf("too early counts as a fault: %v", s.Err)
	}
	f.clock.Advance(mint.PublishAhead)
	if err := r.Rotate(ctx, mint.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	if r.ActiveID() != second {
		t.Errorf("keys are %v", states(r))
	}
	if other.ActiveID() == second {
		t.Error("the other node cannot know yet")
	}
	if err := other.Refresh(ctx); err != nil || other.ActiveID() != second {
		t.Errorf("after a refresh: %v", err)
	}
}

// F26: concurrent rotate calls make one key.
func TestRotateTogether(t *testing.T) {
	f := newFleet(t)
	a, b := f.open(mint.RingConfig{}), f.open(mint.RingConfig{})
	second := inState(a, "next")[0]
	f.clock.Advance(mint.PublishAhead)
	faster := func() {
		if err := b.Rotate(ctx, mint.RotateOptions{}); err != nil {
			t.Error(err)
		}
	}
	f.store.before.Store(&faster)
	if err := a.Rotate(ctx, mint.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	if a.ActiveID() != second || b.ActiveID() != second || len(states(a)) != 3 || fmt.Sprint(states(a)) != fmt.Sprint(states(b)) {
		t.Errorf("keys are %v and %v", states(a), states(b))
	}
}

func TestManyTicksTogether(t *testing.T) {
	f := newFleet(t)
	rings := []*mint.Ring{f.open(mint.RingConfig{}), f.open(mint.RingConfig{}), f.open(mint.RingConfig{})}
	f.clock.Advance(mint.DefaultRotateEvery)
	var all sync.WaitGroup
	for _, r := range rings {
		for range 5 {
			all.Go(func() {
				if err := r.Tick(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for _, r := range rings {
		if len(states(r)) != 3 || fmt.Sprint(states(r)) != fmt.Sprint(states(rings[0])) {
			t.Errorf("keys are %v", states(r))
		}
	}
}

func TestEmergency(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	b, rb := f.node()
	stolen := f.mint(a, f.request())
	second := inState(ra, "next")[0]
	if err := ra.Rotate(ctx, mint.RotateOptions{Emergency: true}); err != nil {
		t.Fatal(err)
	}
	if ra.ActiveID() != second || len(inState(ra, "next")) != 1 || slices.Contains(kids(t, ra.JWKS()), stolen.KeyID) {
		t.Errorf("keys are %v", states(ra))
	}
	if denied := ra.Status().Denied; len(denied) != 1 || denied[0] != stolen.KeyID {
		t.Errorf("denied are %v", denied)
	}
	_, err := a.Verify(ctx, stolen.Text, mint.VerifyOptions{AllowExpired: true})
	wantCode(t, err, mint.CodeKey)
	if err := rb.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = b.Verify(ctx, stolen.Text, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeKey)
	if strings.Contains(string(f.record().Value), "retired") {
		t.Error("the stolen key is still in the record")
	}
}

// Two who react to one incident take out one key.
func TestEmergencyTwice(t *testing.T) {
	f := newFleet(t)
	a, b := f.open(mint.RingConfig{}), f.open(mint.RingConfig{})
	stolen, second := a.ActiveID(), inState(a, "next")[0]
	for _, r := range []*mint.Ring{a, b, a} {
		if err := r.Rotate(ctx, mint.RotateOptions{Emergency: true, KeyID: stolen}); err != nil {
			t.Fatal(err)
		}
	}
	if a.ActiveID() != second || len(a.Status().Denied) != 1 {
		t.Errorf("keys are %v, denied %v", states(a), a.Status().Denied)
	}
	if err := b.Rotate(ctx, mint.RotateOptions{Emergency: true}); err != nil { // b means the one it knows as active
		t.Fatal(err)
	}
	if err := b.Refresh(ctx); err != nil || b.ActiveID() == second {
		t.Errorf("keys are %v, %v", states(b), err)
	}
}

func TestEmergencyOfAKeyThatDoesNotSign(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	first, second := r.ActiveID(), inState(r, "next")[0]
	if err := r.Rotate(ctx, mint.RotateOptions{Emergency: true, KeyID: second}); err != nil {
		t.Fatal(err)
	}
	if r.ActiveID() != first || slices.Contains(kids(t, r.JWKS()), second) || len(inState(r, "next")) != 1 {
		t.Errorf("without the next: %v", states(r))
	}
	f.clock.Advance(mint.PublishAhead)
	if err := r.Rotate(ctx, mint.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Rotate(ctx, mint.RotateOptions{Emergency: true, KeyID: first}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(kids(t, r.JWKS()), first) {
		t.Errorf("without the retired: %v", states(r))
	}
	wantErr(t, r.Rotate(ctx, mint.RotateOptions{Emergency: true, KeyID: "nobody's"}), mint.ErrUnknownKey)
}

// F06 for keys: a promoted replica that knows nothing of an emergency does not
// bring the stolen key back.
func TestDeniedKeyStaysSoAfterAFailover(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	before := f.record()
	stolen := f.mint(a, f.request())
	if err := ra.Rotate(ctx, mint.RotateOptions{Emergency: true}); err != nil {
		t.Fatal(err)
	}
	f.fallBack(before)
	if err := ra.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	_, err := a.Verify(ctx, stolen.Text, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeKey)
	b, rb := f.node() // which has it from the store again
	_, err = b.Verify(ctx, stolen.Text, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeKey)
	if rb.ActiveID() == stolen.KeyID {
		t.Error("a stolen key signs")
	}
}

// F10: the store comes back empty; the keys are not lost.
func TestStoreComesBackEmpty(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	jwt, before := f.mint(a, f.request()), states(ra)
	f.fallBack(store.Record{})
	if err := ra.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(states(ra)) != fmt.Sprint(before) {
		t.Errorf("keys are %v, were %v", states(ra), before)
	}
	b, _ := f.node()
	if _, err := b.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Error(err)
	}
}

// A store that falls back to before a rotation does not make anybody's JWT
// unverifiable.
func TestStoreFallsBack(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	before := f.record()
	old := f.mint(a, f.request())
	for range 2 { // so that the record of before knows the key that signs now not even as the next
		f.clock.Advance(mint.PublishAhead)
		if err := ra.Rotate(ctx, mint.RotateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	request := f.request()
	jwt := f.mint(a, request)
	f.fallBack(before)
	if err := ra.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if ra.ActiveID() != jwt.KeyID {
		t.Error("the node signs with a key of long ago")
	}
	fresh, rf := f.node()
	for name, m := range map[string]*mint.Minter{"the node itself": a, "a fresh one": fresh} {
		for _, text := range []string{old.Text, jwt.Text} {
			if _, err := m.Verify(ctx, text, mint.VerifyOptions{AllowExpired: true}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if !verifiesWith(t, rf.JWKS(), jwt.Text) || len(inState(rf, "active")) != 1 {
		t.Errorf("keys are %v", states(rf))
	}
}

// The keys at hand stay good while the store is away; only a fresh node cannot
// begin.
func TestStoreIsDown(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	seen := f.clock.Now()
	f.clock.Advance(time.Hour)
	f.store.down.Store(true)
	for name, err := range map[string]error{
		"refresh": r.Refresh(ctx), "tick": r.Tick(ctx), "rotate": r.Rotate(ctx, mint.RotateOptions{}),
	} {
		if !errors.Is(err, errDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := r.Status(); !errors.Is(s.Err, errDown) || !s.RefreshedAt.Equal(seen) {
		t.Errorf("status is %+v", s)
	}
	jwt := f.mint(m, f.request())
	if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := mint.OpenRing(ctx, mint.RingConfig{Store: f.store}); !errors.Is(err, errDown) {
		t.Errorf("a fresh node: %v", err)
	}
	f.store.down.Store(false)
	if err := r.Tick(ctx); err != nil || r.Status().Err != nil || !r.Status().RefreshedAt.Equal(f.clock.Now()) {
		t.Errorf("status is %+v, %v", r.Status(), err)
	}
}

// F30: where a rotation cannot be written the old key stays.
func TestRotationThatIsNotWritten(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	before := states(r)
	f.clock.Advance(mint.DefaultRotateEvery)
	f.store.failApply.Store(true)
	wantErr(t, r.Tick(ctx), errDown)
	if fmt.Sprint(states(r)) != fmt.Sprint(before) || !errors.Is(r.Status().Err, errDown) {
		t.Errorf("keys are %v", states(r))
	}
}

// A node that is configured for another algorithm signs with it at once, and the
// others go on with theirs: compat on a gateway that ran before signed with ES256 for
// ten minutes, which no SDK of Stytch's takes, and nodes of two configurations
// replaced each other's next key at every start.
func TestEachAlgorithmHasAnActiveKey(t *testing.T) {
	f := newFleet(t)
	es := f.open(mint.RingConfig{Algorithm: "ES256"})
	ed := f.open(mint.RingConfig{Algorithm: "EdDSA"})
	algorithm := func(r *mint.Ring) string {
		for _, k := range published(t, r.JWKS()) {
			if k.ID == r.ActiveID() {
				return k.Algorithm
			}
		}
		return "none"
	}
	if algorithm(es) != "ES256" || algorithm(ed) != "EdDSA" {
		t.Fatalf("the nodes sign with %s and %s", algorithm(es), algorithm(ed))
	}
	before := f.record().Version
	for _, alg := range []string{"ES256", "EdDSA", "ES256", "EdDSA"} {
		f.open(mint.RingConfig{Algorithm: alg})
	}
	if f.record().Version != before {
		t.Error("nodes that start replace each other's keys")
	}
	if err := es.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	jwt := f.mint(f.minter(ed, mint.Config{}), f.request())
	if _, err := f.minter(es, mint.Config{}).Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Errorf("a JWT of the other algorithm: %v", err)
	}
	f.clock.Advance(mint.PublishAhead)
	kept := ed.ActiveID()
	if err := es.Rotate(ctx, mint.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := ed.Refresh(ctx); err != nil || ed.ActiveID() != kept {
		t.Errorf("a rotation of ES256 moved the key of EdDSA: %v", err)
	}
}

// algorithmStates are the keys of a ring by algorithm and state.
func algorithmStates(r *mint.Ring) (list []string) {
	for _, k := range r.Status().Keys {
		list = append(list, k.Algorithm+" "+k.State)
	}
	slices.Sort(list)
	return list
}

// The keys of an algorithm that no node has wished for in a day are retired; those
// of one that some node runs with never are.
func TestAlgorithmThatNobodyWishesForRetires(t *testing.T) {
	for hour, want := range map[int][]string{
		23: {"ES256 active", "ES256 next", "EdDSA active", "EdDSA next"},
		24: {"ES256 active", "ES256 next", "EdDSA retired"},
		27: {"ES256 active", "ES256 next"},
	} {
		f := newFleet(t)
		es := f.open(mint.RingConfig{Algorithm: "ES256"})
		f.open(mint.RingConfig{Algorithm: "EdDSA"})
		for range hour {
			f.clock.Advance(time.Hour)
			if err := es.Tick(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got := algorithmStates(es); !slices.Equal(got, want) {
			t.Errorf("after %d hours keys are %v, want %v", hour, got, want)
		}
	}
}

// A ring in which an earlier release was about to change the algorithm.
func TestRingOfAnEarlierReleaseThatChangesItsAlgorithm(t *testing.T) {
	f := newFleet(t)
	es := f.open(mint.RingConfig{Algorithm: "ES256"})
	f.open(mint.RingConfig{Algorithm: "EdDSA"})
	is := f.record()
	rec := map[string]any{}
	if err := json.Unmarshal(is.Value[1:], &rec); err != nil {
		t.Fatal(err)
	}
	delete(rec, "wishes")
	rec["keys"] = slices.DeleteFunc(rec["keys"].([]any), func(k any) bool {
		key := k.(map[string]any)
		return key["alg"] == "ES256" && key["state"] == "next" || key["alg"] == "EdDSA" && key["state"] == "active"
	})
	value, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	f.apply(store.Op{Key: "signing", Expect: is.Version, Value: append([]byte{mint.Format}, value...)})
	ed := f.open(mint.RingConfig{Algorithm: "EdDSA"})
	if got, want := algorithmStates(ed), []string{"ES256 active", "EdDSA active", "EdDSA next"}; !slices.Equal(got, want) {
		t.Errorf("keys are %v, want %v", got, want)
	}
	if !slices.Contains(inState(ed, "active"), es.ActiveID()) {
		t.Error("the key that signed is no longer active")
	}
}

func TestConcerns(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	for _, row := range []struct {
		event store.Event
		want  bool
	}{
		{store.Event{Flush: true}, true},
		{store.Event{Ref: store.Ref{Partition: "ring", Key: "signing"}}, true},
		{store.Event{Ref: store.Ref{Partition: "ring", Key: "key:session"}}, false},
		{store.Event{Ref: store.Ref{Partition: "s:x", Key: "signing"}}, false},
	} {
		if got := r.Concerns(row.event); got != row.want {
			t.Errorf("%+v: %v", row.event, got)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	ending, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, r.Run(ending), context.Canceled)
}

func TestChangeOfTheRingWaitsForItsTurnOnly(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	ending, cancel := context.WithCancel(ctx)
	cancel()
	if err := r.Refresh(ending); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := r.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
}

// What a newer release added to the ring survives a rotation by this one.
func TestUnknownMembersSurvive(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	was := f.record()
	text := strings.Replace(string(was.Value), `{"keys":[{`, `{"policy":{"n":1.50},"keys":[{"hsm":"slot 1",`, 1)
	if text == string(was.Value) {
		t.Fatalf("record is not as expected")
	}
	f.fallBack(store.Record{Value: []byte(text)})
	f.clock.Advance(mint.DefaultRotateEvery)
	if err := r.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if value := string(f.record().Value); !strings.Contains(value, `"policy":{"n":1.50}`) || !strings.Contains(value, `"hsm":"slot 1"`) {
		t.Error("they are gone")
	}
}

// A ring that cannot be read is a fault: it is not replaced by a new one.
func TestBrokenRingIsAFault(t *testing.T) {
	f := newFleet(t)
	f.open(mint.RingConfig{})
	good := string(f.record().Value)
	for name, value := range map[string]string{
		"newer format":   string([]byte{mint.Format + 1}) + good[1:],
		"not JSON":       "\x01nothing",
		"no keys":        "\x01{\"keys\":[]}",
		"two active":     strings.Replace(good, `"next"`, `"active"`, 1),
		"none active":    strings.Replace(good, `"active"`, `"retired"`, 1),
		"unknown state":  strings.Replace(good, `"next"`, `"soon"`, 1),
		"another alg":    strings.Replace(good, `"ES256"`, `"EdDSA"`, 1),
		"symmetric":      strings.Replace(good, `"ES256"`, `"HS256"`, 1),
		"broken key":     strings.Replace(good, `"pkcs8":"MI`, `"pkcs8":"AA`, 1),
		"a member twice": strings.Replace(good, `{"keys"`, `{"keys":[],"keys"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if value == good {
				t.Fatal("the row changes nothing")
			}
			f.fallBack(store.Record{Value: []byte(value)})
			_, err := mint.OpenRing(ctx, mint.RingConfig{Store: f.store, Now: f.clock.Now})
			if err == nil {
				t.Fatal("it was opened")
			}
			if strings.Contains(err.Error(), "MIG") {
				t.Error("the error tells the key")
			}
			var newer *record.FormatError
			if errors.As(err, &newer) != (name == "newer format") {
				t.Errorf("error is %v", err)
			}
			if string(f.record().Value) != value {
				t.Error("it was overwritten")
			}
		})
	}
}

// Two parts of a fleet that turned the ring apart from each other: once they share
// a store again, what either signed is verified by both.
func TestRingsThatDiverged(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	b, rb := f.node()
	before := f.record()
	rotate := func(r *mint.Ring, times int) {
		t.Helper()
		for range times {
			f.clock.Advance(mint.PublishAhead)
			if err := r.Rotate(ctx, mint.RotateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	rotate(ra, 2)
	ours := f.mint(a, f.request())
	f.fallBack(before)
	rotate(rb, 3) // further than a, so its record is the newer one
	theirs := f.mint(b, f.request())
	if ours.KeyID == theirs.KeyID {
		t.Fatal("they did not diverge")
	}
	for _, r := range []*mint.Ring{ra, rb} {
		if err := r.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if ra.ActiveID() != theirs.KeyID || rb.ActiveID() != theirs.KeyID {
		t.Errorf("keys are %v and %v", states(ra), states(rb))
	}
	for _, m := range []*mint.Minter{a, b} {
		for _, jwt := range []mint.JWT{ours, theirs} {
			if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{AllowExpired: true}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	err := r.Rotate(ctx, mint.RotateOptions{})
	if want := f.clock.In(mint.PublishAhead).Format(time.RFC3339); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want the time %s", err, want)
	}
	_, err = m.Verify(ctx, "a.b.c", mint.VerifyOptions{})
	var cause *jose.ParseError
	if !errors.As(err, &cause) {
		t.Errorf("the cause of %v is lost", err)
	}
}

// K-06: a JWT may not live longer than retired keys are kept for.
func TestMaxLifetimeIsTheRings(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{MaxLifetime: 12 * time.Hour})
	if r.MaxLifetime() != 12*time.Hour || f.open(mint.RingConfig{}).MaxLifetime() != mint.DefaultMaxLifetime {
		t.Errorf("maximum is %s", r.MaxLifetime())
	}
	req := f.request()
	req.Lifetime, req.Session.ExpiresAt = 12*time.Hour, f.clock.In(24*time.Hour)
	f.mint(f.minter(r, mint.Config{}), req)
}

// One part of a fleet denies a key while the other goes on with it: together they
// deny it.
func TestDeniedKeySurvivesADivergence(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	_, rb := f.node()
	before := f.record()
	stolen := f.mint(a, f.request())
	if err := ra.Rotate(ctx, mint.RotateOptions{Emergency: true}); err != nil {
		t.Fatal(err)
	}
	f.fallBack(before)
	for range 3 {
		f.clock.Advance(mint.PublishAhead)
		if err := rb.Rotate(ctx, mint.RotateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []*mint.Ring{ra, rb} {
		if err := r.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(kids(t, r.JWKS()), stolen.KeyID) {
			t.Error("the stolen key is published")
		}
	}
}

// A node whose clock is ahead drops a retired key a little earlier; the others do
// not take it for lost.
func TestPruningByANodeWhoseClockIsAhead(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	ahead, err := mint.OpenRing(ctx, mint.RingConfig{Store: f.store, Now: func() time.Time { return f.clock.In(10 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(mint.PublishAhead)
	if err := r.Rotate(ctx, mint.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(mint.DefaultMaxLifetime + 55*time.Minute)
	for range 3 {
		for _, each := range []*mint.Ring{ahead, r} {
			if err := each.Tick(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := f.store.writes.Load(); n != 3 || len(states(r)) != 2 {
		t.Errorf("%d writes, keys are %v", n, states(r))
	}
}
