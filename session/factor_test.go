package session_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

func TestAttachAppends(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	token := f.token(s).Reveal()
	f.clock.Advance(time.Minute)
	proof := f.proof("passkey", "t2")
	proof.ProvedAt = f.clock.In(-10 * time.Second)
	s, err := f.b.Attach(ctx, s.ID, proof)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Factors) != 2 || s.Factors[0].Profile != "github" {
		t.Fatalf("factors are %+v", s.Factors)
	}
	got, ok := s.Factor("passkey", "t2")
	if !ok || !got.ProvedAt.Equal(proof.ProvedAt) || !got.CreatedAt.Equal(f.clock.Now()) || !got.UpdatedAt.Equal(f.clock.Now()) {
		t.Errorf("factor is %+v", got)
	}
	if f.token(s).Reveal() != token {
		t.Error("the token changed")
	}
	if _, ok := s.Factor("passkey", "other"); ok {
		t.Error("it has a factor that it has not")
	}
}

// Receiving a proof again makes it no younger.
func TestAttachAgainRefreshes(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	proof := f.proof("passkey", "t2")
	proved, created := proof.ProvedAt, f.clock.Now()
	if _, err := f.a.Attach(ctx, s.ID, proof); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(10 * time.Minute)
	s, err := f.b.Attach(ctx, s.ID, proof)
	if err != nil || len(s.Factors) != 2 {
		t.Fatalf("factors are %+v, %v", s.Factors, err)
	}
	got, _ := s.Factor("passkey", "t2")
	if !got.ProvedAt.Equal(proved) || !got.CreatedAt.Equal(created) || !got.UpdatedAt.Equal(f.clock.Now()) {
		t.Errorf("factor is %+v", got)
	}
}

func TestAttachAgainWithAnotherProof(t *testing.T) {
	f := newFleet(t)
	for name, row := range map[string]struct {
		proved time.Duration // from the time of the second attach, 10 min after the first
		want   time.Duration
	}{
		"older":           {-time.Hour, -10 * time.Minute},
		"newer":           {-time.Minute, -time.Minute},
		"from the future": {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := f.start(time.Hour, 0)
			proof := f.proof("passkey", "t2")
			if _, err := f.a.Attach(ctx, s.ID, proof); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(10 * time.Minute)
			proof.ProvedAt = f.clock.In(row.proved)
			s, err := f.a.Attach(ctx, s.ID, proof)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Factor("passkey", "t2"); !got.ProvedAt.Equal(f.clock.In(row.want)) {
				t.Errorf("proved at %s before now, want %s", f.clock.Now().Sub(got.ProvedAt), -row.want)
			}
		})
	}
}

func TestProofFromTheFutureIsFromNow(t *testing.T) {
	f := newFleet(t)
	proof := f.proof("github", "t1")
	proof.ProvedAt = f.clock.In(time.Minute)
	s, err := f.a.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: proof})
	if err != nil || !s.Factors[0].ProvedAt.Equal(f.clock.Now()) {
		t.Errorf("proved at %s, %v", s.Factors[0].ProvedAt, err)
	}
}

// Revocations are compared with when a token was issued: never a time to come, and never
// that of receipt.
func TestFactorKeepsWhenItsTokenWasIssued(t *testing.T) {
	f := newFleet(t)
	proof := f.proof("github", "t1")
	proof.IssuedAt = f.clock.In(-time.Hour)
	s, err := f.a.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: proof})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ issued, want time.Duration }{{-time.Minute, -time.Minute}, {-2 * time.Hour, -time.Minute}, {time.Minute, 0}} {
		proof.IssuedAt = f.clock.In(row.issued)
		if _, err = f.a.Attach(ctx, s.ID, proof); err != nil {
			t.Fatal(err)
		}
		if s, err = f.b.ByID(ctx, s.ID); err != nil || !s.Factors[0].IssuedAt.Equal(f.clock.In(row.want)) {
			t.Errorf("issued at %s from now, want %s, %v", s.Factors[0].IssuedAt.Sub(f.clock.Now()), row.want, err)
		}
	}
}

func TestProofOfUnknownAgeStaysSo(t *testing.T) {
	f := newFleet(t)
	proof := f.proof("github", "t1")
	proof.ProvedAt = time.Time{}
	s, err := f.a.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: proof})
	if err != nil || !s.Factors[0].ProvedAt.IsZero() {
		t.Fatalf("proved at %s, %v", s.Factors[0].ProvedAt, err)
	}
	if s, err = f.a.Attach(ctx, s.ID, proof); err != nil || !s.Factors[0].ProvedAt.IsZero() {
		t.Errorf("proved at %s, %v", s.Factors[0].ProvedAt, err)
	}
}

// A profile whose tokens keep coming replaces its own oldest proof, and never
// another's.
func TestFactorsAreBounded(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	if _, err := f.a.Attach(ctx, s.ID, f.proof("passkey", "mfa")); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * session.MaxFactors {
		f.clock.Advance(time.Second)
		var err error
		if s, err = f.a.Attach(ctx, s.ID, f.proof("github", fmt.Sprintf("n%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Factors) != session.MaxFactors {
		t.Errorf("%d factors", len(s.Factors))
	}
	if _, ok := s.Factor("passkey", "mfa"); !ok {
		t.Error("another profile's proof was pushed out")
	}
	if _, ok := s.Factor("github", "t1"); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := s.Factor("github", fmt.Sprintf("n%d", 3*session.MaxFactors-1)); !ok {
		t.Error("the newest is not")
	}
	_, err := f.a.Attach(ctx, s.ID, f.proof("okta", "x"))
	wantErr(t, err, session.ErrFactors)
}

// S-03: the caller's check decides before anything is written.
func TestAttachOfAnotherMember(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	mismatch := fmt.Errorf("member-2 is not the session's member")
	_, err := f.a.Attach(ctx, s.ID, f.proof("passkey", "t2"), func(s *session.Session) error {
		if s.MemberID != "member-2" {
			return mismatch
		}
		return nil
	})
	wantErr(t, err, mismatch)
	if after, _ := f.a.ByID(ctx, s.ID); len(after.Factors) != 1 || after.Version != 1 {
		t.Errorf("session is %+v", after)
	}
}

func TestAttachWithRenewal(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	former := f.token(s)
	s, err := f.a.Attach(ctx, s.ID, f.proof("passkey", "t2"), f.a.RenewToken)
	if err != nil || s.Version != 2 {
		t.Fatalf("version %d, %v", s.Version, err)
	}
	if f.token(s).Reveal() == former.Reveal() || !s.Holds(former, f.clock.Now()) {
		t.Error("the token was not renewed, or its former secret does not serve")
	}
}

// What a factor says of an address outlives the store, and is what its token said
// last: exchange takes nobody to another organization by any other address.
func TestFactorKeepsTheAddressItsTokenAsserted(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	proof := f.proof("okta", "t2")
	for _, verified := range []bool{true, false} {
		proof.EmailVerified = verified
		if _, err := f.a.Attach(ctx, s.ID, proof); err != nil {
			t.Fatal(err)
		}
		stored, err := f.b.ByID(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := stored.Factor("okta", "t2"); got.Email != "ada@example.com" || got.EmailVerified != verified {
			t.Errorf("%+v", got)
		}
	}
}
