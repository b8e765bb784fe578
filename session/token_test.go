package session_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

func TestTokenIsReadBack(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	text := f.token(s).Reveal()
	if len(text) > session.MaxTokenBytes {
		t.Fatalf("token of %d bytes", len(text))
	}
	token, err := session.ParseToken(text)
	if err != nil || token.SessionID() != s.ID || token.Reveal() != text {
		t.Fatalf("read back as %v, %v", token, err)
	}
	for name, m := range map[string]*session.Manager{"same node": f.a, "other node": f.b} {
		if found, err := m.ByToken(ctx, token); err != nil || found.ID != s.ID {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// S-01: 64 tokens share nothing, so at least 128 of their bits vary.
func TestTokensAreRandom(t *testing.T) {
	f := newFleet(t)
	const n = 64
	ids, secrets := map[string]bool{}, map[string]bool{}
	var columns [256]map[byte]bool
	for range n {
		id, secret, _ := strings.Cut(f.token(f.start(time.Hour, 0)).Reveal(), ".")
		ids[id], secrets[secret] = true, true
		for i, c := range []byte(strings.TrimPrefix(id, "session-") + secret) {
			if columns[i] == nil {
				columns[i] = map[byte]bool{}
			}
			columns[i][c] = true
		}
	}
	if len(ids) != n || len(secrets) != n {
		t.Fatalf("%d ids and %d secrets of %d sessions", len(ids), len(secrets), n)
	}
	varying := 0
	for _, c := range columns {
		if len(c) > 8 { // 64 draws of 16 or 64 letters; a constant or a version digit shows fewer
			varying++
		}
	}
	if varying < 32+42 {
		t.Errorf("only %d places of id and secret vary", varying)
	}
}

// ZITADEL CVE-2026-27840 and kin: whatever is not the token itself opens nothing.
func TestTokenThatIsAlmostGood(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	other := f.token(f.start(time.Hour, 0)).Reveal()
	good := f.token(s).Reveal()
	id, secret, _ := strings.Cut(good, ".")
	flip := func(text string, i int, c byte) string { return text[:i] + string(c) + text[i+1:] }
	change := func(c byte) byte {
		if c == 'A' {
			return 'B'
		}
		return 'A'
	}
	for name, bad := range map[string]string{
		"empty":                   "",
		"id only":                 id,
		"id and dot":              id + ".",
		"secret only":             secret,
		"truncated by one":        good[:len(good)-1],
		"truncated to the dot":    good[:len(id)+1],
		"extended":                good + "A",
		"extended by a line":      good + "\n",
		"padded":                  good + "=",
		"line inside":             good[:60] + "\n" + good[60:],
		"line instead":            flip(good, 60, '\n'),
		"first of the secret":     flip(good, len(id)+1, change(good[len(id)+1])),
		"last of the secret":      flip(good, len(good)-5, change(good[len(good)-5])),
		"left-over bits":          good[:len(good)-1] + leftOver(good[len(good)-1]),
		"upper-case id":           strings.ToUpper(id) + "." + secret,
		"upper-case secret":       id + "." + strings.ToUpper(secret),
		"id of another session":   strings.Split(other, ".")[0] + "." + secret,
		"secret of another":       id + "." + strings.Split(other, ".")[1],
		"two secrets":             good + "." + secret,
		"leading space":           " " + good,
		"standard alphabet":       id + "." + strings.Repeat("+", 43),
		"wildcard id":             "session-*." + secret,
		"id of another partition": "s:" + good,
		"no prefix":               strings.TrimPrefix(good, "session-"),
		"a NUL":                   flip(good, 20, 0),
		"hyphen moved":            flip(flip(good, 16, 'a'), 17, '-'),
		"very long":               good + strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			token, err := session.ParseToken(bad)
			if err == nil {
				_, err = f.a.ByToken(ctx, token)
				wantErr(t, err, session.ErrNotFound)
				return
			}
			wantErr(t, err, session.ErrToken)
			if bad != "" && strings.Contains(err.Error(), bad) {
				t.Error("the error repeats the token")
			}
		})
	}
}

// leftOver is another last letter for the same 32 bytes.
func leftOver(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)|1])
}

// A cached session is asked by whoever found it under an id; the id is part of
// the token all the same.
func TestTokenNamesItsSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	_, secret, _ := strings.Cut(f.token(s).Reveal(), ".")
	token, err := session.ParseToken(f.start(time.Hour, 0).ID + "." + secret)
	if err != nil || s.Holds(token, f.clock.Now()) {
		t.Errorf("it holds the token of another session, %v", err)
	}
}

func TestTokenOfAnImplicitSession(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.trusted("x"))
	if _, ok := f.a.Token(s); ok {
		t.Error("an implicit session has a token")
	}
	token, err := session.ParseToken(s.ID + "." + strings.Repeat("A", 43))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
	if s.Holds(session.Token{}, f.clock.Now()) || s.Holds(token, f.clock.Now()) {
		t.Error("an implicit session holds a token")
	}
}

func TestZeroTokenOpensNothing(t *testing.T) {
	f := newFleet(t)
	_, err := f.a.ByToken(ctx, session.Token{})
	wantErr(t, err, session.ErrNotFound)
	if (session.Session{}).Holds(session.Token{}, f.clock.Now()) {
		t.Error("the zero session holds the zero token")
	}
	if text := (session.Token{}).Reveal(); text != "" {
		t.Errorf("it reveals %q", text)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	s, err := f.a.Renew(ctx, s.ID) // so that there is a former one too
	if err != nil {
		t.Fatal(err)
	}
	token := f.token(s)
	_, secret, _ := strings.Cut(token.Reveal(), ".")
	type inside struct {
		token   session.Token
		session session.Session
		Shown   session.Token
	}
	var raw [32]byte
	if _, err := base64.RawURLEncoding.Decode(raw[:], []byte(secret)); err != nil {
		t.Fatal(err)
	}
	forbidden := []string{secret, fmt.Sprint(raw), strings.Trim(fmt.Sprint(raw), "[]"), fmt.Sprintf("%x", raw), string(raw[:])}
	for _, v := range []any{token, &token, s, &s, inside{token, s, token}, []session.Token{token}, map[string]session.Session{"s": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			assertAbsent(t, fmt.Sprintf(verb, v), forbidden)
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		assertAbsent(t, string(data), forbidden)
	}
}

func assertAbsent(t *testing.T, text string, forbidden []string) {
	t.Helper()
	for _, each := range forbidden {
		if strings.Contains(strings.ToLower(text), strings.ToLower(each)) {
			t.Errorf("secret is in %q", text)
		}
	}
}

func TestLooksLikeToken(t *testing.T) {
	f := newFleet(t)
	good := f.token(f.start(time.Hour, 0)).Reveal()
	for text, want := range map[string]bool{
		good:                true,
		good[:20]:           true, // a bad token of ours, not somebody else's credential
		good + "xyz":        true,
		"session-":          true,
		"":                  false,
		"eyJhbGciOi.e30.AA": false,
		"opaque-of-another": false,
	} {
		if got := session.LooksLikeToken(text); got != want {
			t.Errorf("%d bytes: %v", len(text), got)
		}
	}
}

func TestRenewKeepsTheFormerSecretForAMoment(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	first := f.token(s)
	s, err := f.a.Renew(ctx, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	second := f.token(s)
	if first.Reveal() == second.Reveal() || first.SessionID() != second.SessionID() {
		t.Fatal("renewed token has the same secret or another id")
	}
	holds := func(token session.Token, want bool) {
		t.Helper()
		_, err := f.b.ByToken(ctx, token)
		if (err == nil) != want || s.Holds(token, f.clock.Now()) != want {
			t.Errorf("found: %v, held: %v, want %v", err, s.Holds(token, f.clock.Now()), want)
		}
	}
	holds(first, true)
	holds(second, true)
	f.clock.Advance(session.GracePeriod - time.Millisecond)
	holds(first, true)
	f.clock.Advance(time.Millisecond)
	holds(first, false)
	holds(second, true)
}

func TestRenewTwiceEndsTheFirstSecretAtOnce(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	first := f.token(s)
	for range 2 {
		if _, err := f.a.Renew(ctx, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.a.ByToken(ctx, first)
	wantErr(t, err, session.ErrNotFound)
}

func TestRenewOfAnImplicitSession(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.trusted("x"))
	_, err := f.a.Renew(ctx, s.ID)
	wantErr(t, err, session.ErrImplicit)
}

// Whatever is read as a token is spelled the one way that it is revealed.
func FuzzParseToken(f *testing.F) {
	fl := newFleet(f)
	good := fl.token(fl.start(time.Hour, 0)).Reveal()
	f.Add(good)
	f.Add(good[:len(good)-1] + "_")
	f.Add(good + "\n")
	f.Add("session-.")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := session.ParseToken(text)
		if err != nil {
			if token.Reveal() != "" {
				t.Error("a token beside an error")
			}
			return
		}
		if token.Reveal() != text || !session.LooksLikeToken(text) {
			t.Errorf("%q is revealed as %q", text, token.Reveal())
		}
	})
}
