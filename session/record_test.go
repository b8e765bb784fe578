package session_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

// put stores bytes as the record of a session and answers its id.
func (f *fleet) put(value []byte) string {
	id := sessionID(7)
	if is := f.records(id)[0]; is.Exists() {
		f.apply(id, store.Op{Key: "s", Expect: is.Version})
	}
	f.apply(id, store.Op{Key: "s", Value: value, ExpiresAt: f.clock.In(24 * time.Hour)})
	return id
}

// fixture reads a record of testdata, its `NOW+<ms>` replaced.
func (f *fleet) fixture(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.t.Fatal(err)
	}
	text := strings.TrimSpace(string(data))
	for word, d := range map[string]time.Duration{"NOW-1m": -time.Minute, "NOW+30s": 30 * time.Second, "NOW+1h": time.Hour, "NOW": 0} {
		text = strings.ReplaceAll(text, `"`+word+`"`, numeral(f.clock.In(d)))
	}
	return append([]byte{session.Format}, text...)
}

func numeral(t time.Time) string {
	data, _ := json.Marshal(t.UnixMilli())
	return string(data)
}

// Records that earlier releases wrote are read as they were meant.
func TestFixtureOfFormat1(t *testing.T) {
	f := newFleet(t)
	id := f.put(f.fixture("session.v1.json"))
	s, err := f.a.ByID(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if s.OrganizationID != org || s.MemberID != member || s.Idle != 10*time.Minute ||
		!s.StartedAt.Equal(f.clock.In(-time.Minute)) || !s.ExpiresAt.Equal(f.clock.In(time.Hour)) || !s.LastAccessedAt.Equal(f.clock.Now()) {
		t.Errorf("session is %+v", s)
	}
	want := claims.Object{"plan": "pro"}
	if got := s.Overlay.Apply(claims.Object{"plan": "free", "gone": true}); !reflect.DeepEqual(got, want) {
		t.Errorf("overlay gives %v", got)
	}
	if len(s.Factors) != 2 || s.Factors[1].Profile != "passkey" || !s.Factors[1].ProvedAt.IsZero() {
		t.Errorf("factors are %+v", s.Factors)
	}
	for _, factor := range s.Factors { // which were confirmed when they came
		if factor.CreatedAt.IsZero() || !factor.IssuedAt.Equal(factor.CreatedAt) {
			t.Errorf("issued at %s, created at %s", factor.IssuedAt, factor.CreatedAt)
		}
	}
	for _, secret := range []string{strings.Repeat("A", 42) + "E", strings.Repeat("A", 42) + "I"} {
		token, err := session.ParseToken(id + "." + secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.a.ByToken(ctx, token); err != nil {
			t.Errorf("current and former secret: %v", err)
		}
	}
}

func TestFixtureOfAnImplicitSession(t *testing.T) {
	f := newFleet(t)
	id := f.put(f.fixture("implicit.v1.json"))
	s, err := f.a.ByID(ctx, id)
	if err != nil || !s.Implicit || !s.TokenUntil.Equal(f.clock.In(time.Hour)) {
		t.Errorf("session is %+v, %v", s, err)
	}
}

func TestFixtureOfATombstone(t *testing.T) {
	f := newFleet(t)
	_, err := f.a.ByID(ctx, f.put(f.fixture("tombstone.v1.json")))
	wantErr(t, err, session.ErrRevoked)
}

// A fleet is upgraded node by node: what a newer release added survives, at every
// level, whichever change this one makes.
func TestUnknownMembersSurvive(t *testing.T) {
	f := newFleet(t)
	text := string(f.fixture("session.v1.json"))
	text = strings.Replace(text, `"org":`, `"device":{"n":1.50},"org":`, 1)
	text = strings.Replace(text, `"profile":"github"`, `"profile":"github","amr":["otp"]`, 1)
	id := f.put([]byte(text))
	for name, change := range map[string]func() error{
		"change": func() error {
			return second(f.a.Change(ctx, id, func(s *session.Session) error { return s.Extend(f.clock.Now(), 2*time.Hour, f.a.MaxDuration()) }))
		},
		"attach": func() error { return second(f.a.Attach(ctx, id, f.proof("okta", "new"))) },
		"renew":  func() error { return second(f.a.Renew(ctx, id)) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		value := string(f.records(id)[0].Value)
		if !strings.Contains(value, `"device":{"n":1.50}`) || !strings.Contains(value, `"amr":["otp"]`) {
			t.Errorf("after %s: %s", name, value)
		}
	}
	if err := second(f.a.Revoke(ctx, id)); err != nil {
		t.Fatal(err)
	}
	if value := string(f.records(id)[0].Value); !strings.Contains(value, `"device":{"n":1.50}`) {
		t.Errorf("after revoke: %s", value)
	}
}

// A newer format is a fault: taking it for "absent" would log people out, and
// would let a revoked implicit session begin anew.
func TestNewerFormatIsAFault(t *testing.T) {
	f := newFleet(t)
	value := f.fixture("session.v1.json")
	value[0] = session.Format + 1
	id := f.put(value)
	for name, err := range map[string]error{
		"ByID":   second(f.a.ByID(ctx, id)),
		"Change": second(f.a.Change(ctx, id, func(*session.Session) error { return nil })),
		"Revoke": second(f.a.Revoke(ctx, id)),
	} {
		wantFault(t, err)
		var newer *record.FormatError
		if !errors.As(err, &newer) || newer.Found != session.Format+1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := f.records(id)[0].Value; got[0] != session.Format+1 {
		t.Error("it was overwritten")
	}
}

func TestRecordsThatMakeNoSense(t *testing.T) {
	f := newFleet(t)
	good := string(f.fixture("session.v1.json"))
	replace := func(old, new string) []byte {
		text := strings.Replace(good, old, new, 1)
		if text == good {
			t.Fatalf("fixture has no %s", old)
		}
		return []byte(text)
	}
	for name, value := range map[string][]byte{
		"not JSON":               []byte("\x01hello"),
		"an empty object":        []byte("\x01{}"),
		"nobody's":               replace(`"member":"member-1"`, `"member":""`),
		"without an end":         replace(`"expires":`, `"ex":`),
		"without a beginning":    replace(`"started":`, `"st":`),
		"without a secret":       replace(`"secret":`, `"se":`),
		"with a short secret":    replace(`"secret":"AAAA`, `"secret":"`),
		"with a short former":    replace(`"former":"AAAA`, `"former":"`),
		"with an empty former":   replace(`"former":"`+strings.Repeat("A", 42)+`I="`, `"former":""`),
		"with a negative idle":   replace(`"idle":600000`, `"idle":-1`),
		"with a name twice":      replace(`"org":`, `"org":"x","org":`),
		"with an idle of text":   replace(`"idle":600000`, `"idle":"1"`),
		"with a broken overlay":  replace(`"overlay":[`, `"overlay":["?",`),
		"with factors as object": replace(`"factors":[`, `"factors":{},"f":[`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.a.ByID(ctx, f.put(value))
			wantFault(t, err)
			if strings.Contains(err.Error(), "AAAA") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestAccessRecordThatMakesNoSense(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, time.Minute)
	f.apply(s.ID, store.Op{Key: "a", Blind: true, Value: []byte("\x01{\"accessed\":\"x\"}"), ExpiresAt: f.clock.In(time.Hour)})
	_, err := f.a.ByID(ctx, s.ID)
	wantFault(t, err)
}

// FuzzRecord: whatever stands in the store, reading it does not panic, and what
// is read as live has an end and an owner.
func FuzzRecord(f *testing.F) {
	fl := newFleet(f)
	for _, name := range []string{"session.v1.json", "implicit.v1.json", "tombstone.v1.json"} {
		f.Add(fl.fixture(name)[1:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fl := newFleet(t)
		s, err := fl.a.ByID(ctx, fl.put(append([]byte{session.Format}, body...)))
		if err != nil {
			return
		}
		if s.MemberID == "" || s.OrganizationID == "" || !s.RevokedAt.IsZero() || !s.ExpiresAt.After(fl.clock.Now()) {
			t.Errorf("live: %+v", s)
		}
		if _, ok := fl.a.Token(s); ok == s.Implicit {
			t.Errorf("implicit %v has a token: %v", s.Implicit, ok)
		}
	})
}

// What remains of a revoked session is not live; what does not decode is nobody's to
// leave out.
func TestIsLive(t *testing.T) {
	const id = "s:session-00000000-0000-0000-0000-000000000000"
	live, err := record.Encode(session.Format, map[string]any{"member": "m"})
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := record.Encode(session.Format, map[string]any{"member": "m", "revoked": 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ref   store.Ref
		value []byte
		want  bool
	}{
		"live":      {store.Ref{Partition: id, Key: "s"}, live, true},
		"its use":   {store.Ref{Partition: id, Key: "a"}, []byte("x"), true},
		"revoked":   {store.Ref{Partition: id, Key: "s"}, revoked, false},
		"another's": {store.Ref{Partition: "o:acme", Key: "s"}, live, false},
		"malformed": {store.Ref{Partition: id, Key: "s"}, []byte("x"), false},
	} {
		if got := session.IsLive(c.ref, c.value); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
