package trust_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

type refusal struct {
	name   string
	config func(*trust.Config)
	token  func(w *world) string
	check  string
	code   string
}

// claims signs with these claims changed.
func claims(pairs ...any) func(*world) string {
	return func(w *world) string {
		c := trusttest.Claims{}
		for i := 0; i < len(pairs); i += 2 {
			c[pairs[i].(string)] = pairs[i+1]
		}
		return w.Sign(c)
	}
}

// header signs with the header bent.
func header(options ...trusttest.Option) func(*world) string {
	return func(w *world) string { return w.Sign(nil, options...) }
}

func text(token string) func(*world) string { return func(*world) string { return token } }

// at is a date relative to the clock, as a NumericDate.
func at(d time.Duration) int64 { return newClock().now.Add(d).Unix() }

func maps(attribute, path string) func(*trust.Config) {
	return func(c *trust.Config) { c.Map = map[string]string{attribute: path} }
}

const absent = trusttest.Absent

var refusals = slices.Concat(parseRefusals, headerRefusals, claimRefusals, timeRefusals, mappingRefusals)

var parseRefusals = []refusal{
	{"D-01 too large", nil, text(strings.Repeat("a", jose.MaxTokenBytes+1)), "parse", jose.CodeTooLarge},
	{"J-09 no token", nil, text(""), "parse", jose.CodeMalformed},
	{"J-07 newline at the end", nil, func(w *world) string { return w.Sign(nil) + "\n" }, "parse", jose.CodeEncoding},
	{"J-05 JWE", nil, text("a.b.c.d.e"), "parse", jose.CodeEncrypted},
	{"J-10 header not an object", nil, text("W10.e30.AAAA"), "parse", jose.CodeHeader},
	{"J-10 duplicate claim", nil, header(trusttest.Payload(`{"sub":"u1","sub":"admin"}`)), "parse", jose.CodePayload},
	{"J-10 folded claim", nil, header(trusttest.Payload(`{"sub":"u1","ſub":"admin"}`)), "parse", jose.CodePayload},
	{"J-09 nested JWT", nil, func(w *world) string { return w.Sign(nil, trusttest.Payload(w.Sign(nil))) }, "parse", jose.CodePayload},
	{"J-01 no alg", nil, header(trusttest.With("alg", absent)), "parse", jose.CodeAlgorithm},
	{"J-01 alg none", nil, header(trusttest.With("alg", "none")), "parse", jose.CodeNone},
	{"J-04 crit", nil, header(trusttest.With("crit", []any{"exp"})), "parse", jose.CodeCritical},
	{"K-03 kid a number", nil, header(trusttest.With("kid", 1)), "parse", jose.CodeKeyID},
	{"J-09 typ a number", nil, header(trusttest.With("typ", 1)), "parse", jose.CodeType},
}

var headerRefusals = []refusal{
	{"X-01 logout token", nil, header(trusttest.Type("logout+jwt")), "type", trust.CodeTypeNotAllowed},
	{"X-01 security event", nil, header(trusttest.Type("secevent+jwt")), "type", trust.CodeTypeNotAllowed},
	{"X-01 DPoP proof", nil, header(trusttest.Type("dpop+jwt")), "type", trust.CodeTypeNotAllowed},
	{"X-01 typ empty", nil, header(trusttest.Type("")), "type", trust.CodeTypeNotAllowed},
	{"X-01 JWT where another is listed", types("vc+jwt"), header(trusttest.Type("JWT")), "type", trust.CodeTypeNotAllowed},
	{"X-01 no typ where one is listed", types("JWT"), header(trusttest.Type("x"), trusttest.With("typ", absent)), "type", trust.CodeTypeNotAllowed},
	{"J-02 HS256", nil, header(trusttest.Secret("HS256", []byte("secret"))), "algorithm", trust.CodeAlgorithmNotAllowed},
	{"J-03 alg not listed", algorithms("ES384"), header(), "algorithm", trust.CodeAlgorithmNotAllowed},
	{"J-03 alg in other case", nil, header(trusttest.With("alg", "es256")), "algorithm", trust.CodeAlgorithmNotAllowed},
	{"J-03 PS256 is not in the default", nil, header(trusttest.With("alg", "PS256")), "algorithm", trust.CodeAlgorithmNotAllowed},
	{"J-03 alg of another type of key", nil, header(trusttest.With("alg", "RS256")), "key", trust.CodeKeyUnfit},
	{"J-03 alg of another curve", nil, header(trusttest.With("alg", "ES384")), "key", trust.CodeKeyUnfit},
	{"K-02 unknown kid", fileKeys, header(trusttest.KeyID("other")), "key", trust.CodeKeyUnknown},
	{"K-02 no kid and too many keys", manyKeys, header(trusttest.NoKeyID()), "key", trust.CodeKeyAmbiguous},
	{"X-03 another key of the same algorithm", nil, func(w *world) string {
		return w.Sign(nil, trusttest.By(trusttest.NewKey(w.t, jose.ES256)))
	}, "signature", trust.CodeSignatureInvalid},
	{"J-03 RSA key without alg serves RS alone, though PS is listed", rsaKeys("RS256", "PS256"), func(w *world) string {
		return w.Sign(nil, trusttest.By(sharedRSA(w.t)), trusttest.Algorithm("PS256"))
	}, "key", trust.CodeKeyUnfit},
	{"J-08 PSS salt of another length", rsaKeys("PS256"), func(w *world) string {
		return w.Sign(nil, trusttest.By(sharedRSA(w.t)), trusttest.Algorithm("PS256"), trusttest.SaltLength(20))
	}, "signature", trust.CodeSignatureInvalid},
	{"J-06 signature of zeros (CVE-2022-21449)", nil, func(w *world) string {
		token := w.Sign(nil)
		return token[:strings.LastIndexByte(token, '.')+1] + strings.Repeat("A", 86)
	}, "signature", trust.CodeSignatureInvalid},
}

var claimRefusals = []refusal{
	{"C-02 iss missing", nil, claims("iss", absent), "issuer", trust.CodeIssuerMissing},
	{"C-02 iss null", nil, claims("iss", nil), "issuer", trust.CodeIssuerMissing},
	{"C-02 iss an array", nil, claims("iss", []any{"https://idp"}), "issuer", trust.CodeIssuerMissing},
	{"C-02 iss with a slash", nil, func(w *world) string { return w.Sign(trusttest.Claims{"iss": w.URL + "/"}) }, "issuer", trust.CodeIssuerMismatch},
	{"C-02 iss in other case", nil, func(w *world) string { return w.Sign(trusttest.Claims{"iss": "H" + w.URL[1:]}) }, "issuer", trust.CodeIssuerMismatch},
	{"issuer template, claim contradicts", tenants, claims("iss", "https://login.example/t1/v2", "tid", "t2"), "issuer", trust.CodeCaptureMismatch},
	{"issuer template, claim is a number", tenants, claims("iss", "https://login.example/1/v2", "tid", 1), "issuer", trust.CodeCaptureMismatch},
	{"CVE-2020-26160 aud missing", nil, claims("aud", absent), "audience", trust.CodeAudienceMissing},
	{"CVE-2020-26160 aud empty", nil, claims("aud", ""), "audience", trust.CodeAudienceMissing},
	{"CVE-2020-26160 aud an empty array", nil, claims("aud", []any{}), "audience", trust.CodeAudienceMissing},
	{"CVE-2020-26160 aud an object", nil, claims("aud", map[string]any{"gateway": true}), "audience", trust.CodeAudienceMissing},
	{"CVE-2020-26160 aud nested", nil, claims("aud", []any{[]any{trusttest.Audience}}), "audience", trust.CodeAudienceMissing},
	{"C-02 aud mixed", nil, claims("aud", []any{trusttest.Audience, 1}), "audience", trust.CodeAudienceMissing},
	{"C-02 aud of another", nil, claims("aud", "other"), "audience", trust.CodeAudienceMismatch},
	{"C-02 aud a prefix", nil, claims("aud", trusttest.Audience+"x"), "audience", trust.CodeAudienceMismatch},
	{"C-02 aud in other case", nil, claims("aud", "Gateway"), "audience", trust.CodeAudienceMismatch},
	{"C-02 audience in another claim", func(c *trust.Config) { c.AudienceClaim = "client_id" }, claims(), "audience", trust.CodeAudienceMissing},
	{"required claim missing", requires("type", ""), claims(), "required_claims", trust.CodeClaimMissing},
	{"required claim null", requires("type", ""), claims("type", nil), "required_claims", trust.CodeClaimMissing},
	{"required claim empty", requires("type", ""), claims("type", ""), "required_claims", trust.CodeClaimMissing},
	{"required claim of another value", requires("type", "app"), claims("type", "org"), "required_claims", trust.CodeClaimMismatch},
	{"required claim in an array", requires("role", "admin"), claims("role", []any{"user", []any{1}}), "required_claims", trust.CodeClaimMismatch},
	{"a condition that does not hold", when("claims.env == 'prod'", "claims.n > 1"), claims("env", "dev", "n", 2), "when", trust.CodeConditionFailed},
	{"the second of two", when("claims.env == 'prod'", "claims.n > 1"), claims("env", "prod", "n", 1), "when", trust.CodeConditionFailed},
	{"a condition on a claim that is absent", when("claims.env == 'prod'"), claims(), "when", trust.CodeConditionError},
	{"a condition on a claim of another type", when("claims.env.startsWith('p')"), claims("env", 7), "when", trust.CodeConditionError},
	{"integers are exact", when("claims.n == 9007199254740992"), claims("n", json.Number("9007199254740993")), "when", trust.CodeConditionFailed},
	{"an integer of more than 64 bits", when("claims.n > 0"), claims("n", json.Number("99999999999999999999")), "when", trust.CodeConditionError},
	{"a condition that costs too much", when("claims.l.all(a, claims.l.all(b, claims.l.all(c, a + b + c >= 0)))"), claims("l", numbers(100)), "when", trust.CodeConditionError},
	{"a token with iss where none may be", func(c *trust.Config) { c.Issuers, c.WithoutIssuer = nil, true }, claims(), "issuer", trust.CodeIssuerMismatch},
	{"another sub than its prefix", func(c *trust.Config) { c.Issuers, c.WithoutIssuer, c.SubjectPrefix = nil, true, "spiffe://a/" }, claims("iss", absent, "sub", "spiffe://ab/x"), "issuer", trust.CodeIssuerMismatch},
}

var timeRefusals = []refusal{
	{"C-01 exp missing", nil, claims("exp", absent), "expiry", trust.CodeExpiryMissing},
	{"C-01 exp null", nil, claims("exp", nil), "expiry", trust.CodeExpiryMissing},
	{"C-01 exp a string", nil, claims("exp", "1900000000"), "expiry", trust.CodeExpiryInvalid},
	{"C-01 exp true", nil, claims("exp", true), "expiry", trust.CodeExpiryInvalid},
	{"C-01 exp not finite", nil, header(trusttest.Payload(`{"iss":"ISS","aud":"gateway","exp":1e999}`)), "expiry", trust.CodeExpiryInvalid},
	{"C-01 exp past the year 9999", nil, claims("exp", 253402300800), "expiry", trust.CodeExpiryInvalid},
	{"C-01 exp zero", nil, claims("exp", 0), "expiry", trust.CodeExpired},
	{"C-01 exp negative", nil, claims("exp", -1), "expiry", trust.CodeExpired},
	{"C-01 exp exactly the leeway ago", nil, claims("exp", at(-60*time.Second)), "expiry", trust.CodeExpired},
	{"C-01 exp now, without leeway", func(c *trust.Config) { c.Leeway = -1 }, claims("exp", at(0)), "expiry", trust.CodeExpired},
	{"C-01 nbf a string", nil, claims("nbf", "soon"), "not_before", trust.CodeNotBefore},
	{"C-01 nbf to come", nil, claims("nbf", at(61*time.Second)), "not_before", trust.CodeNotYetValid},
	{"C-01 iat a string", nil, claims("iat", "now"), "issued_at", trust.CodeIssuedAtInvalid},
	{"F18 iat to come", nil, claims("iat", at(61*time.Second)), "issued_at", trust.CodeIssuedInFuture},
	{"max_token_age without iat", maxAge, claims("iat", absent), "age", trust.CodeIssuedAtMissing},
	{"max_token_age reached", maxAge, claims("iat", at(-time.Minute)), "age", trust.CodeTooOld},
	{"C-01 lifetime over a day", nil, claims("exp", at(24*time.Hour+time.Second)), "lifetime", trust.CodeLifetime},
	{"C-01 lifetime over a day without iat", nil, claims("iat", absent, "exp", at(24*time.Hour+time.Second)), "lifetime", trust.CodeLifetime},
	{"C-01 lifetime over max_lifetime", func(c *trust.Config) { c.MaxLifetime = time.Minute }, claims("exp", at(61*time.Second)), "lifetime", trust.CodeLifetime},
	{"auth_time a string", nil, claims("auth_time", "now"), "auth_time", trust.CodeAuthTime},
	{"auth_time to come", nil, claims("auth_time", at(61*time.Second)), "auth_time", trust.CodeAuthTime},
	{"valid_for without auth_time", func(c *trust.Config) { c.Factor.ValidFor = time.Minute }, claims(), "proof_age", trust.CodeAuthTimeMissing},
	{"valid_for reached", validFor, claims("auth_time", at(-time.Minute)), "proof_age", trust.CodeProofTooOld},
}

func validFor(c *trust.Config) { c.Factor = trust.Factor{ValidFor: time.Minute, Proved: "iat"} }

// wrongDates are values that RFC 7519 §2 does not call a NumericDate. The empty
// ones were once taken for an absent claim, so that a token with "nbf": {} had no
// nbf and one with "exp": "" was told to have none.
var wrongDates = map[string]string{
	"an empty object": `{}`, "an empty array": `[]`, "an empty text": `""`,
	"an object": `{"seconds":1}`, "an array": `[1]`, "a text": `"1900000000"`,
	"true": `true`, "false": `false`,
	"not finite": `1e999`, "past the year 9999": `253402300800`, "before the year -9999": `-1e300`,
}

func TestDateOfAWrongTypeIsNoAbsentClaim(t *testing.T) {
	w := newWorld(t)
	for claim, code := range map[string]string{
		"exp": trust.CodeExpiryInvalid, "nbf": trust.CodeNotBefore,
		"iat": trust.CodeIssuedAtInvalid, "auth_time": trust.CodeAuthTime,
	} {
		for name, value := range wrongDates {
			t.Run(claim+" "+name, func(t *testing.T) {
				r := refuse(t, w.profile(), w.Sign(trusttest.Claims{claim: json.RawMessage(value)}), code)
				if r.Found == string(absent) {
					t.Errorf("the finding says %q of %s", r.Found, value)
				}
			})
		}
	}
}

var mappingRefusals = []refusal{
	{"C-03 mapped external_id missing", maps("external_id", "uid"), claims(), "external_id", trust.CodeExternalIDMissing},
	{"C-03 mapped external_id empty", maps("external_id", "uid"), claims("uid", ""), "external_id", trust.CodeExternalIDMissing},
	{"C-03 external_id a fraction", nil, claims("sub", 7.5), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id with an exponent", nil, claims("sub", json.Number("1e3")), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id minus zero", nil, claims("sub", json.Number("-0")), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id of 257 digits", nil, claims("sub", json.Number(strings.Repeat("1", 257))), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id a boolean", nil, claims("sub", true), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id an array", nil, claims("sub", []any{"u1"}), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id too long", nil, claims("sub", strings.Repeat("s", 257)), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id with NUL", nil, claims("sub", "a\x00b"), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id with a newline", nil, claims("sub", "a\nb"), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 external_id with a C1 control", nil, claims("sub", "a\u0085b"), "external_id", trust.CodeExternalIDInvalid},
	{"C-03 neither external_id nor email", nil, claims("sub", absent), "identity", trust.CodeIdentityMissing},
	{"C-03 email that is not covered alone", nil, claims("sub", absent, "email", "a@example.com"), "identity", trust.CodeIdentityMissing},
	{"C-03 covered email alone, not verified", domains("example.com"), claims("sub", absent, "email", "a@example.com", "email_verified", false), "identity", trust.CodeIdentityMissing},
	{"C-03 mapped token_id missing", maps("token_id", "scan"), claims("jti", "j"), "token_id", trust.CodeTokenIDMissing},
	{"C-03 mapped token_id too long", maps("token_id", "jti"), claims("jti", strings.Repeat("j", 257)), "token_id", trust.CodeTokenIDInvalid},
	{"C-03 mapped token_id an object", maps("token_id", "jti"), claims("jti", map[string]any{"a": 1}), "token_id", trust.CodeTokenIDInvalid},
	{"organization missing", organization("{claims.org}"), claims(), "organization", trust.CodeOrganizationMissing},
	{"organization null", organization("{claims.org}"), claims("org", nil), "organization", trust.CodeOrganizationMissing},
	{"organization an object", organization("{claims.org}"), claims("org", map[string]any{"id": "x"}), "organization", trust.CodeOrganizationInvalid},
	{"organization with a slash", organization("{claims.org}"), claims("org", "a/b"), "organization", trust.CodeOrganizationInvalid},
	{"organization with a placeholder of Caddy (T-01)", organization("{claims.org}"), claims("org", "{env.SECRET}"), "organization", trust.CodeOrganizationInvalid},
	{"organization with a letter that is not ASCII", organization("{claims.org}"), claims("org", "acmé"), "organization", trust.CodeOrganizationInvalid},
	{"organization too long", organization("{claims.org}"), claims("org", strings.Repeat("o", 129)), "organization", trust.CodeOrganizationInvalid},
	{"organization too long together", organization("{claims.org}-{claims.org}"), claims("org", strings.Repeat("o", 64)), "organization", trust.CodeOrganizationInvalid},
	{"session_key missing", sessionKey("shop"), claims(), "session_key", trust.CodeSessionKeyMissing},
	{"session_key a fraction", sessionKey("shop"), claims("shop", 1.5), "session_key", trust.CodeSessionKeyInvalid},
	{"kept claims too large together", keeps("a", "b.c"), claims("a", strings.Repeat("x", 1024), "b", map[string]any{"c": strings.Repeat("y", 1024)}), "kept_claims", trust.CodeClaimsTooLarge},
}

func roles(c *trust.Config) {
	c.Map = map[string]string{"roles": "groups"}
	c.Roles = map[string][]string{"admins": {"admin"}}
}

func keeps(paths ...string) func(*trust.Config) {
	return func(c *trust.Config) { c.KeepClaims = paths }
}

func when(conditions ...string) func(*trust.Config) {
	return func(c *trust.Config) { c.When = conditions }
}

func numbers(n int) (list []any) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func types(list ...string) func(*trust.Config) { return func(c *trust.Config) { c.Types = list } }

func algorithms(list ...string) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Algorithms = list
		c.Keys = mustKeys(trust.FileKeys(publish(trusttest.NewKey(nilTB{}, list[0]))))
	}
}

func mustKeys(k trust.KeySource, err error) trust.KeySource {
	if err != nil {
		panic(err)
	}
	return k
}

func fileKeys(c *trust.Config) {
	k := trusttest.NewKey(nilTB{}, jose.ES256)
	c.Keys = mustKeys(trust.FileKeys(publish(k)))
}

func manyKeys(c *trust.Config) {
	keys := make([]trusttest.Key, 17)
	for n := range keys {
		keys[n] = trusttest.NewKey(nilTB{}, jose.ES256)
	}
	c.Keys = mustKeys(trust.FileKeys(publish(keys...)))
}

// nilTB is for keys that are made outside of a test; making one does not fail.
type nilTB struct{ testing.TB }

func (nilTB) Helper() {}

func publish(keys ...trusttest.Key) []byte {
	var public []jose.Key
	for _, k := range keys {
		public = append(public, k.Public)
	}
	data, err := jose.MarshalKeySet(public)
	if err != nil {
		panic(err)
	}
	return data
}

func rsaKeys(algorithms ...string) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Algorithms = algorithms
		c.Keys = mustKeys(trust.PEMKeys(sharedRSA(nilTB{}).PEM(nilTB{})))
	}
}

func tenants(c *trust.Config) {
	c.Issuers = []string{"https://login.example/{tid}/v2"}
	c.Organization = "{claims.tid}"
}

func requires(path, value string) func(*trust.Config) {
	return func(c *trust.Config) { c.RequireClaims = []trust.RequiredClaim{{Path: path, Value: value}} }
}

func maxAge(c *trust.Config) { c.MaxTokenAge = time.Minute }

func domains(list ...string) func(*trust.Config) {
	return func(c *trust.Config) { c.EmailDomains = list }
}

func organization(text string) func(*trust.Config) {
	return func(c *trust.Config) { c.Organization = text }
}

func sessionKey(paths ...string) func(*trust.Config) {
	return func(c *trust.Config) { c.SessionKey = paths }
}

func TestVerifyRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.profile(orNothing(c.config))
			token := c.token(w)
			if strings.Contains(c.name, "not finite") {
				token = w.Sign(nil, trusttest.Payload(`{"iss":"`+w.URL+`","aud":"gateway","exp":1e999}`))
			}
			r := refuse(t, p, token, c.code)
			if r.Check != c.check || r.Profile != "acme" || r.Remedy == "" || r.Configured == "" || r.Found == "" {
				t.Errorf("%+v, want check %s", r, c.check)
			}
			if got := r.Error(); got != "trust: profile acme: "+c.check+": "+c.code {
				t.Errorf("error %q", got)
			}
			explainAgrees(t, p, token, r)
		})
	}
}

func orNothing(f func(*trust.Config)) func(*trust.Config) {
	if f == nil {
		return func(*trust.Config) {}
	}
	return f
}

// explainAgrees: the first failed finding is the refusal, and none shows the
// signature or the token.
func explainAgrees(t *testing.T, p *trust.Profile, token string, r *trust.Refusal) {
	t.Helper()
	findings := p.Explain(context.Background(), token)
	first := slices.IndexFunc(findings, func(f trust.Finding) bool { return !f.Passed })
	if first < 0 || findings[first].Skipped {
		t.Fatalf("findings %+v have no failure", findings)
	}
	f := findings[first]
	if f.Code != r.Code || f.Check != r.Check || f.Configured != r.Configured || f.Found != r.Found || f.Remedy != r.Remedy {
		t.Errorf("first failed finding %+v, refusal %+v", f, r)
	}
	signature := token[strings.LastIndexByte(token, '.')+1:]
	for _, f := range findings {
		if shown := f.Configured + f.Found + f.Remedy; signature != "" && len(signature) > 20 && strings.Contains(shown, signature) {
			t.Errorf("finding %+v shows the signature", f)
		}
		if f.Configured == "" || f.Passed == (f.Remedy != "") || (f.Code != "") != (!f.Passed && !f.Skipped) {
			t.Errorf("finding %+v is not whole", f)
		}
	}
}

// Every reason code stands in the documentation and is asked for in a test.
func TestReasonCodesAreDocumentedAndTested(t *testing.T) {
	source := regexp.MustCompile(`"([a-z0-9_]+)"`)
	var codes []string
	for _, file := range []string{"codes.go", "../internal/jose/errors.go"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if m := source.FindStringSubmatch(line); m != nil && strings.Contains(line, "= ") {
				codes = append(codes, m[1])
			}
		}
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	errorList, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	// Those that Verify never answers: see TestSelect and TestDownEndpointIsAnOutage; of signed tokens: see TestIntrospection.
	elsewhere := []string{trust.CodeProfileAmbiguous, trust.CodeKeysUnavailable, trust.CodeTokenForm, trust.CodeInactive}
	for _, code := range codes {
		if !strings.Contains(string(doc), " "+code+" ") || !strings.Contains(string(errorList), "`"+code+"`") {
			t.Errorf("%s is not documented", code)
		}
		if !slices.Contains(elsewhere, code) && !slices.ContainsFunc(refusals, func(r refusal) bool { return r.code == code }) {
			t.Errorf("%s is not tested", code)
		}
	}
	if len(codes) < 45 {
		t.Errorf("only %d codes found", len(codes))
	}
}

func sha(text string) [32]byte { return sha256.Sum256([]byte(text)) }
