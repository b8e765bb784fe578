package mint_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
)

func TestVerifyNamesTheSession(t *testing.T) {
	for name, compat := range map[string]bool{"ours": false, "stytch": true} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			m := f.minter(f.rsa(), mint.Config{Compat: compat})
			jwt := f.mint(m, f.request())
			if id, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil || id != sid {
				t.Errorf("names %q, %v", id, err)
			}
			if v, err := m.Read(ctx, jwt.Text, mint.VerifyOptions{}); err != nil || v.SessionID != sid || !v.ExpiresAt.Equal(jwt.ExpiresAt) {
				t.Errorf("read as %+v, %v", v, err)
			}
		})
	}
}

// signed is a JWT of these claims, signed with the ring's own key.
func (f *fleet) signed(r *mint.Ring, claims map[string]any) string {
	f.t.Helper()
	data, err := strictjson.Marshal(claims)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.signedText(r, string(data))
}

func (f *fleet) signedText(r *mint.Ring, payload string) string {
	f.t.Helper()
	text, err := mint.Sign(r, []byte(payload))
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// good are the claims of an API JWT.
func (f *fleet) good() map[string]any {
	now := f.clock.Now().Unix()
	return map[string]any{
		"iss": issuer, "sub": member, "aud": []any{project}, "iat": now, "nbf": now - 10, "exp": now + 300,
		"session": map[string]any{"id": sid}, "organization": map[string]any{"organization_id": org},
	}
}

// only what the ring signed for the API is a credential. The signature of
// every row but the last ones is our own.
func TestVerifyRefuses(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	now := f.clock.Now().Unix()
	with := func(name string, value any) string {
		c := f.good()
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
		return f.signed(r, c)
	}
	good := f.signed(r, f.good())
	if _, err := m.Verify(ctx, good, mint.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	other := newFleet(t).open(mint.RingConfig{})
	for name, row := range map[string]struct{ text, code string }{
		"an injected JWT":              {f.mint(m, injected(f)).Text, mint.CodeAudience},
		"no audience":                  {with("aud", nil), mint.CodeAudience},
		"another audience":             {with("aud", []any{"project-2"}), mint.CodeAudience},
		"audience as a prefix":         {with("aud", []any{project + "1", "project"}), mint.CodeAudience},
		"audience as text":             {with("aud", project), mint.CodeAudience},
		"audience as an object":        {with("aud", map[string]any{project: project}), mint.CodeAudience},
		"audience nested":              {with("aud", []any{[]any{project}}), mint.CodeAudience},
		"no issuer":                    {with("iss", nil), mint.CodeIssuer},
		"another issuer":               {with("iss", "https://evil.example"), mint.CodeIssuer},
		"issuer with a slash":          {with("iss", issuer+"/"), mint.CodeIssuer},
		"issuer in a list":             {with("iss", []any{issuer}), mint.CodeIssuer},
		"no end":                       {with("exp", nil), mint.CodeClaims},
		"end as text":                  {with("exp", fmt.Sprint(now+300)), mint.CodeClaims},
		"end that is not whole":        {with("exp", float64(now)+300.5), mint.CodeClaims},
		"end beyond numbers":           {f.signedText(r, strings.Replace(payloadOf(t, good), fmt.Sprintf(`"exp":%d`, now+300), `"exp":1e999`, 1)), mint.CodeClaims},
		"ended":                        {with("exp", now), mint.CodeExpired},
		"ended long ago":               {with("exp", 0), mint.CodeExpired},
		"no beginning":                 {with("nbf", nil), mint.CodeClaims},
		"not yet":                      {with("nbf", now+62), mint.CodeNotYet},
		"no session":                   {with("session", nil), mint.CodeClaims},
		"session as text":              {with("session", sid), mint.CodeClaims},
		"session without an id":        {with("session", map[string]any{"ID": sid}), mint.CodeClaims},
		"session with an empty id":     {with("session", map[string]any{"id": ""}), mint.CodeClaims},
		"session with a number":        {with("session", map[string]any{"id": 7}), mint.CodeClaims},
		"the shape of Stytch":          {f.signedText(r, strings.Replace(payloadOf(t, good), `"session"`, `"https://stytch.com/session"`, 1)), mint.CodeClaims},
		"a claim twice":                {f.signedText(r, strings.Replace(payloadOf(t, good), `{`, `{"iss":"https://evil.example",`, 1)), mint.CodeMalformed},
		"payload with text after":      {f.signedText(r, payloadOf(t, good)+"{}"), mint.CodeMalformed},
		"payload as a list":            {f.signedText(r, "["+payloadOf(t, good)+"]"), mint.CodeMalformed},
		"empty":                        {"", mint.CodeMalformed},
		"a session token":              {sid + ".AAAA", mint.CodeMalformed},
		"two parts":                    {parts[0] + "." + parts[1], mint.CodeMalformed},
		"five parts":                   {good + ".a.b", mint.CodeMalformed},
		"a line at the end":            {good + "\n", mint.CodeMalformed},
		"100,000 dots":                 {strings.Repeat(".", 100_000), mint.CodeMalformed},
		"very long":                    {parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2], mint.CodeMalformed},
		"signature of another payload": {parts[0] + "." + parts[1] + "." + strings.Split(with("sub", "member-2"), ".")[2], mint.CodeSignature},
		"signature of zeros":           {parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86), mint.CodeSignature},
		"signature cut":                {parts[0] + "." + parts[1] + "." + parts[2][:80], mint.CodeSignature},
		"another ring's":               {f.signed(other, f.good()), mint.CodeKey},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := m.Verify(ctx, row.text, mint.VerifyOptions{})
			wantCode(t, err, row.code)
			if id != "" {
				t.Errorf("it names %q all the same", id)
			}
			if row.code != mint.CodeExpired {
				_, err = m.Verify(ctx, row.text, mint.VerifyOptions{AllowExpired: true})
				wantCode(t, err, row.code)
			}
			if len(row.text) > 40 && strings.Contains(err.Error(), row.text[len(row.text)-20:]) {
				t.Error("the error repeats the JWT")
			}
		})
	}
}

func injected(f *fleet) mint.Request {
	r := f.request()
	r.API = false
	return r
}

func payloadOf(t testing.TB, jwt string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// RFC 8725: what a stranger writes into the header never decides how we verify.
func TestVerifyRefusesHeaders(t *testing.T) {
	f := newFleet(t)
	signer := newPrivate(t, "Ed25519").(ed25519.PrivateKey)
	r := f.open(mint.RingConfig{Files: [][]byte{privatePEM(t, signer)}})
	m := f.minter(r, mint.Config{})
	data, err := strictjson.Marshal(f.good())
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	sign := func(header string) string {
		input := encode([]byte(header)) + "." + encode(data)
		return input + "." + encode(ed25519.Sign(signer, []byte(input)))
	}
	mac := func(header string, key []byte) string {
		input := encode([]byte(header)) + "." + encode(data)
		h := hmac.New(sha256.New, key)
		h.Write([]byte(input))
		return input + "." + encode(h.Sum(nil))
	}
	kid := r.ActiveID()
	if _, err := m.Verify(ctx, sign(`{"alg":"EdDSA","typ":"JWT","kid":"`+kid+`"}`), mint.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	public := signer.Public().(ed25519.PublicKey)
	for name, row := range map[string]struct{ text, code string }{
		"none":              {sign(`{"alg":"none","typ":"JWT","kid":"` + kid + `"}`), mint.CodeMalformed},
		"nOnE":              {sign(`{"alg":"nOnE","typ":"JWT","kid":"` + kid + `"}`), mint.CodeMalformed},
		"no alg":            {sign(`{"typ":"JWT","kid":"` + kid + `"}`), mint.CodeMalformed},
		"another alg":       {sign(`{"alg":"ES256","typ":"JWT","kid":"` + kid + `"}`), mint.CodeSignature},
		"HS256, public key": {mac(`{"alg":"HS256","typ":"JWT","kid":"`+kid+`"}`, public), mint.CodeSignature},
		"HS256, PEM":        {mac(`{"alg":"HS256","typ":"JWT","kid":"`+kid+`"}`, publicPEM(t, signer)), mint.CodeSignature},
		"HS256, empty":      {mac(`{"alg":"HS256","typ":"JWT","kid":"`+kid+`"}`, nil), mint.CodeSignature},
		"no kid":            {sign(`{"alg":"EdDSA","typ":"JWT"}`), mint.CodeMalformed},
		"empty kid":         {sign(`{"alg":"EdDSA","typ":"JWT","kid":""}`), mint.CodeKey},
		"unknown kid":       {sign(`{"alg":"EdDSA","typ":"JWT","kid":"../signing"}`), mint.CodeKey},
		"no typ":            {sign(`{"alg":"EdDSA","kid":"` + kid + `"}`), mint.CodeMalformed},
		"an access token":   {sign(`{"alg":"EdDSA","typ":"at+jwt","kid":"` + kid + `"}`), mint.CodeMalformed},
		"typ in small":      {sign(`{"alg":"EdDSA","typ":"jwt","kid":"` + kid + `"}`), mint.CodeMalformed},
		"a crit":            {sign(`{"alg":"EdDSA","typ":"JWT","crit":["x"],"x":1,"kid":"` + kid + `"}`), mint.CodeMalformed},
		"compressed":        {sign(`{"alg":"EdDSA","typ":"JWT","zip":"DEF","kid":"` + kid + `"}`), mint.CodeMalformed},
		"a key of its own":  {sign(`{"alg":"EdDSA","typ":"JWT","kid":"x","jwk":{"kty":"OKP","crv":"Ed25519","x":"` + encode(public) + `"}}`), mint.CodeKey},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.Verify(ctx, row.text, mint.VerifyOptions{AllowExpired: true})
			wantCode(t, err, row.code)
		})
	}
}

func TestVerifyOfAnExpiredJWT(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	jwt := f.mint(m, f.request())
	f.clock.Advance(jwt.ExpiresAt.Sub(f.clock.Now()) - time.Millisecond)
	if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Millisecond)
	_, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeExpired)
	if id, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{AllowExpired: true}); err != nil || id != sid {
		t.Errorf("names %q, %v", id, err)
	}
}

// Nodes' clocks differ a little; a JWT that was just minted is good at once.
func TestVerifyByANodeWhoseClockIsBehind(t *testing.T) {
	f := newFleet(t)
	r := f.rsa()
	m := f.minter(r, mint.Config{Compat: true})
	jwt := f.mint(m, f.request())
	f.clock.Advance(-59 * time.Second)
	if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Error(err)
	}
	f.clock.Advance(-2 * time.Second)
	_, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeNotYet)
}

func TestVerifyWithoutAProject(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	m, err := mint.New(mint.Config{Ring: r, Issuer: issuer, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, aud := range []any{[]any{project}, []any{""}, []any{issuer}, []any{}} {
		c := f.good()
		c["aud"] = aud
		_, err := m.Verify(ctx, f.signed(r, c), mint.VerifyOptions{})
		wantCode(t, err, mint.CodeAudience)
	}
}

// A JWT of a key that another node made a moment ago is looked up.
func TestVerifyLooksForANewKey(t *testing.T) {
	f := newFleet(t)
	a, ra := f.node()
	b, _ := f.node()
	for range 2 {
		f.clock.Advance(mint.PublishAhead)
		if err := ra.Rotate(ctx, mint.RotateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	jwt := f.mint(a, f.request())
	if id, err := b.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil || id != sid {
		t.Errorf("names %q, %v", id, err)
	}
}

// F28, D-03: whoever invents kids makes us look at most once per five seconds,
// and not at all with an issuer that is not ours.
func TestUnknownKidFlood(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	jwt := f.mint(m, f.request())
	strangers := make([]string, 60)
	for i := range strangers {
		signer, err := jose.NewSigner("EdDSA", zeros{})
		if err != nil {
			t.Fatal(err)
		}
		data, _ := strictjson.Marshal(f.good())
		if strangers[i], err = signer.Sign(data); err != nil {
			t.Fatal(err)
		}
	}
	before := f.store.gets.Load()
	var all sync.WaitGroup
	for _, text := range strangers {
		all.Go(func() {
			_, err := m.Verify(ctx, text, mint.VerifyOptions{})
			wantCodeQuietly(t, err, mint.CodeKey)
			if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := f.store.gets.Load() - before; n != 1 {
		t.Errorf("%d looks at the store", n)
	}
	f.clock.Advance(5 * time.Second)
	for _, text := range strangers {
		_, err := m.Verify(ctx, text, mint.VerifyOptions{})
		wantCode(t, err, mint.CodeKey)
	}
	if n := f.store.gets.Load() - before; n != 2 {
		t.Errorf("%d looks at the store", n)
	}
	f.clock.Advance(5 * time.Second)
	foreign := f.good()
	foreign["iss"] = "https://evil.example"
	_, err := m.Verify(ctx, f.signed(newFleet(t).open(mint.RingConfig{}), foreign), mint.VerifyOptions{})
	wantCode(t, err, mint.CodeIssuer)
	if n := f.store.gets.Load() - before; n != 2 {
		t.Errorf("%d looks at the store", n)
	}
}

// zeros would be a poor source of keys, if it were one.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func wantCodeQuietly(t *testing.T, err error, code string) {
	var refused *mint.VerifyError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("error is %v, want %s", err, code)
	}
}

// While the store is away nobody can say whether an unknown key is good: that is
// a fault, not a refusal, and it does not outlast the store's trouble by much.
func TestVerifyWhileTheStoreIsDown(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	other := newFleet(t).open(mint.RingConfig{})
	stranger := f.signed(other, f.good())
	f.store.down.Store(true)
	for range 3 {
		_, err := m.Verify(ctx, stranger, mint.VerifyOptions{})
		if !errors.Is(err, errDown) || errors.Is(err, mint.ErrInvalid) {
			t.Errorf("error is %v", err)
		}
	}
	f.store.down.Store(false)
	f.clock.Advance(5 * time.Second)
	_, err := m.Verify(ctx, stranger, mint.VerifyOptions{})
	wantCode(t, err, mint.CodeKey)
}

// F19: a clock that jumps back does not keep a node from looking.
func TestVerifyLooksAfterTheClockJumpsBack(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	stranger := f.signed(newFleet(t).open(mint.RingConfig{}), f.good())
	for i := range int64(3) {
		before := f.store.gets.Load()
		_, err := m.Verify(ctx, stranger, mint.VerifyOptions{AllowExpired: true})
		wantCode(t, err, mint.CodeKey)
		if n := f.store.gets.Load() - before; n != 1 {
			t.Errorf("%d looks the %d. time", n, i+1)
		}
		f.clock.Advance(-time.Minute)
	}
}

// FuzzVerify: nothing but what was minted is taken, and nothing panics.
func FuzzVerify(f *testing.F) {
	fl := newFleet(f)
	m, r := fl.node()
	good := fl.mint(m, fl.request()).Text
	inject := fl.mint(m, injected(fl)).Text
	f.Add(good)
	f.Add(inject)
	f.Add(good[:len(good)-1] + "A")
	f.Add(strings.Replace(good, ".", ".e30.", 1))
	f.Add(fl.signedText(r, `{}`))
	f.Fuzz(func(t *testing.T, text string) {
		id, err := m.Verify(ctx, text, mint.VerifyOptions{AllowExpired: true})
		if (err == nil) != (text == good) || (id != "") != (err == nil) {
			t.Errorf("%q names %q, %v", text, id, err)
		}
		if err != nil && !errors.Is(err, mint.ErrInvalid) {
			t.Errorf("a fault: %v", err)
		}
	})
}

var _ store.Store = (*flaky)(nil)
