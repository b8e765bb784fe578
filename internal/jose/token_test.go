package jose_test

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func TestParse(t *testing.T) {
	token := parse(t, unsigned(`{"alg":"ES256","kid":"k1","typ":"at+jwt","jwk":{"kty":"oct"},"x5u":"https://evil.example"}`, `{"sub":"u1","n":1.50}`))
	want := jose.Header{Algorithm: "ES256", KeyID: "k1", Type: "at+jwt", HasKeyID: true, HasType: true}
	if token.Header != want {
		t.Errorf("header %+v, want %+v", token.Header, want)
	}
	if string(token.Payload) != `{"sub":"u1","n":1.50}` || token.Claims["sub"] != "u1" {
		t.Errorf("payload %s, claims %v", token.Payload, token.Claims)
	}
}

func TestParseTellsMissingFromEmpty(t *testing.T) {
	if h := parse(t, unsigned(`{"alg":"ES256"}`, claims)).Header; h.HasKeyID || h.HasType {
		t.Errorf("%+v", h)
	}
	if h := parse(t, unsigned(`{"alg":"ES256","kid":"","typ":""}`, claims)).Header; !h.HasKeyID || !h.HasType {
		t.Errorf("%+v", h)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"alg":"ES256"}`
	head, body := b64(good), b64(claims)
	long := func(n int) string { return strings.Repeat("k", n) }
	for _, c := range []struct{ name, token, code string }{
		{"J-01 alg none", unsigned(`{"alg":"none"}`, claims), jose.CodeNone},
		{"J-01 alg None", unsigned(`{"alg":"None"}`, claims), jose.CodeNone},
		{"J-01 alg nOnE", unsigned(`{"alg":"nOnE"}`, claims), jose.CodeNone},
		{"J-01 alg none and a space", unsigned(`{"alg":"none "}`, claims), jose.CodeNone},
		{"J-01 alg none, no signature", b64(`{"alg":"none"}`) + "." + body + ".", jose.CodeMalformed},
		{"J-01 alg missing", unsigned(`{"typ":"JWT"}`, claims), jose.CodeAlgorithm},
		{"J-01 alg empty", unsigned(`{"alg":""}`, claims), jose.CodeAlgorithm},
		{"J-01 alg null", unsigned(`{"alg":null}`, claims), jose.CodeAlgorithm},
		{"J-01 alg a number", unsigned(`{"alg":256}`, claims), jose.CodeAlgorithm},
		{"J-01 alg an array", unsigned(`{"alg":["ES256"]}`, claims), jose.CodeAlgorithm},
		{"J-01 alg in other case is no alg", unsigned(`{"ALG":"ES256"}`, claims), jose.CodeAlgorithm},

		{"J-04 crit", unsigned(`{"alg":"ES256","crit":["exp"],"exp":1}`, claims), jose.CodeCritical},
		{"J-04 crit empty", unsigned(`{"alg":"ES256","crit":[]}`, claims), jose.CodeCritical},
		{"J-04 crit null", unsigned(`{"alg":"ES256","crit":null}`, claims), jose.CodeCritical},
		{"J-04 b64 false", unsigned(`{"alg":"ES256","b64":false}`, claims), jose.CodeCritical},
		{"J-04 b64 true", unsigned(`{"alg":"ES256","b64":true}`, claims), jose.CodeCritical},

		{"J-05 zip", unsigned(`{"alg":"ES256","zip":"DEF"}`, claims), jose.CodeEncrypted},
		{"J-05 enc", unsigned(`{"alg":"ES256","enc":"A128GCM"}`, claims), jose.CodeEncrypted},
		{"J-05 PBES2 with a huge count", unsigned(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647}`, claims), jose.CodeEncrypted},
		{"J-05 five parts", head + "." + body + ".AA.AA.AA", jose.CodeEncrypted},
		{"J-05 five parts, one empty", head + "..AA.AA.AA", jose.CodeEncrypted},

		{"J-07 padding", head + "=." + body + ".AAAA", jose.CodeEncoding},
		{"J-07 padding in the payload", head + "." + body + "==.AAAA", jose.CodeEncoding},
		{"J-07 padding in the signature", head + "." + body + ".AA==", jose.CodeEncoding},
		{"J-07 newline in the header", head[:4] + "\n" + head[4:] + "." + body + ".AAAA", jose.CodeEncoding},
		{"J-07 newline at the end", head + "." + body + ".AAAA\n", jose.CodeEncoding},
		{"J-07 carriage return", head + "." + body[:4] + "\r" + body[4:] + ".AAAA", jose.CodeEncoding},
		{"J-07 space before", " " + head + "." + body + ".AAAA", jose.CodeEncoding},
		{"J-07 standard alphabet +", head + "." + body + ".++++", jose.CodeEncoding},
		{"J-07 standard alphabet /", head + "." + body + ".////", jose.CodeEncoding},
		{"J-07 left-over bits in the signature", head + "." + body + ".AB", jose.CodeEncoding},
		{"J-07 left-over bits in the payload", head + "." + b64(`{"a":1}`)[:9] + "R.AAAA", jose.CodeEncoding},
		{"J-07 one character over", head + "." + body + ".AAAAA", jose.CodeEncoding},
		{"J-07 NUL", head + "." + body + ".AA\x00A", jose.CodeEncoding},

		{"J-09 empty", "", jose.CodeMalformed},
		{"J-09 two parts", head + "." + body, jose.CodeMalformed},
		{"J-09 four parts", head + "." + body + ".AA.AA", jose.CodeMalformed},
		{"J-09 six parts", head + "." + body + ".AA.AA.AA.AA", jose.CodeMalformed},
		{"J-09 no header", "." + body + ".AAAA", jose.CodeMalformed},
		{"J-09 no payload (detached)", head + "..AAAA", jose.CodeMalformed},
		{"J-09 no signature", head + "." + body + ".", jose.CodeMalformed},
		{"J-09 JSON serialization", `{"payload":"` + body + `","signatures":[]}`, jose.CodeMalformed},
		{"J-09 header an array", unsigned(`["ES256"]`, claims), jose.CodeHeader},
		{"J-09 header a string", unsigned(`"ES256"`, claims), jose.CodeHeader},
		{"J-09 header null", unsigned(`null`, claims), jose.CodeHeader},
		{"J-09 text after the header", unsigned(good+` x`, claims), jose.CodeHeader},
		{"J-09 payload an array", unsigned(good, `[1]`), jose.CodePayload},
		{"J-09 payload a nested JWT", unsigned(good, head+"."+body+".AAAA"), jose.CodePayload},
		{"J-09 second object after the payload", unsigned(good, claims+`{"sub":"admin"}`), jose.CodePayload},
		{"J-09 payload not JSON", unsigned(good, `{sub:"u1"}`), jose.CodePayload},
		{"J-09 typ a number", unsigned(`{"alg":"ES256","typ":1}`, claims), jose.CodeType},
		{"J-09 typ null", unsigned(`{"alg":"ES256","typ":null}`, claims), jose.CodeType},

		{"J-10 duplicate alg", unsigned(`{"alg":"ES256","alg":"none"}`, claims), jose.CodeHeader},
		{"J-10 alg that folds", unsigned(`{"alg":"ES256","Alg":"none"}`, claims), jose.CodeHeader},
		{"J-10 duplicate claim", unsigned(good, `{"sub":"u1","sub":"admin"}`), jose.CodePayload},
		{"J-10 claim that folds (U+017F)", unsigned(good, `{"sub":"u1","ſub":"admin"}`), jose.CodePayload},
		{"J-10 duplicate by escape", unsigned(good, `{"sub":"u1","s\u0075b":"admin"}`), jose.CodePayload},
		{"J-10 duplicate in a nested object", unsigned(good, `{"a":{"b":1,"b":2}}`), jose.CodePayload},
		{"J-10 bad UTF-8", unsigned(good, "{\"sub\":\"\xff\"}"), jose.CodePayload},
		{"J-10 lone surrogate", unsigned(good, `{"sub":"\ud800"}`), jose.CodePayload},
		{"J-10 too deep", unsigned(good, `{"a":`+strings.Repeat("[", 64)+strings.Repeat("]", 64)+`}`), jose.CodePayload},

		{"K-03 kid a number", unsigned(`{"alg":"ES256","kid":7}`, claims), jose.CodeKeyID},
		{"K-03 kid null", unsigned(`{"alg":"ES256","kid":null}`, claims), jose.CodeKeyID},
		{"K-03 kid too long", unsigned(`{"alg":"ES256","kid":"`+long(257)+`"}`, claims), jose.CodeKeyID},

		{"D-01 too large", head + "." + body + "." + long(jose.MaxTokenBytes), jose.CodeTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) { wantCode(t, c.token, c.code) })
	}
}

func TestParseAtTheBounds(t *testing.T) {
	parse(t, unsigned(`{"alg":"ES256","kid":"`+strings.Repeat("k", jose.MaxKeyID)+`"}`, claims))
	parse(t, unsigned(`{"alg":"ES256"}`, `{"a":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}`))

	input := b64(`{"alg":"ES256"}`) + "." + b64(claims) + "."
	padding := jose.MaxTokenBytes - len(input)
	parse(t, input+strings.Repeat("A", padding-padding%4))
}

func codeOfDots(n int) string {
	switch {
	case n > jose.MaxTokenBytes:
		return jose.CodeTooLarge
	case n == 4:
		return jose.CodeEncrypted
	}
	return jose.CodeMalformed
}

// A splitter that makes a slice of the parts allocates sixteen bytes a dot
// (CVE-2025-30204, CVE-2025-27144).
func TestParseOfManyDotsAllocatesNothingMuch(t *testing.T) {
	for _, n := range []int{2, 3, 4, 5, 16 << 10, 100_000, 10_000_000} {
		text := strings.Repeat(".", n)
		least := uint64(math.MaxUint64) // of several: what else runs in the process allocates too
		for range 5 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			wantCode(t, text, codeOfDots(n))
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 4096 {
			t.Errorf("%d dots: %d bytes allocated", n, least)
		}
	}
}

func TestParseErrorsHoldNothingOfTheToken(t *testing.T) {
	for _, text := range []string{
		unsigned(`{"alg":"ES256","crit":"s3cr3t"}`, claims),
		unsigned(`{"alg":"ES256"}`, `{"s3cr3t":1,"s3cr3t":2}`),
		unsigned(`{"alg":"ES256"}`, `{"a":s3cr3t}`),
		"s3cr3t",
	} {
		if _, err := jose.Parse(text); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("error %v", err)
		}
	}
}
