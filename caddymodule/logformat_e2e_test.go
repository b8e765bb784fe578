package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/attestgate/caddy-attest/caddymodule/logformat"
)

const loggingSite = `{
	debug
	admin off
	persist_config off
	default_bind 127.0.0.1
	log {
		output file DIR/log
		format FORMAT
	}
	servers {
		log_credentials
	}
	attest {
		store memory
		project PROJECT {
			secret API_SECRET
		}
		profile acme {
			issuer ISSUER
			audience app
			jwks_url JWKS
			organization acme
			create members organizations
			token_from header X-Legacy-Token
		}
		profile cookie {
			issuer ISSUER
			audience other
			jwks_url JWKS
			organization acme
			create members organizations
			token_from cookie legacy
		}
		profile address {
			issuer ISSUER
			audience address
			jwks_url JWKS
			organization acme
			token_from query ticket at /page
			max_token_age 60s
			replay reject
		}
		organization acme {
			profiles acme cookie address
		}
	}
}
http://127.0.0.1:PORT {
	log {
		output file DIR/access
		format FORMAT
	}
	attest_api
	attest acme cookie address {
		forward_jwt X-Session-Jwt
		copy_claims sub>X-User
		set_cookie
	}
	request_header X-Sent {http.request.orig_uri}{http.request.orig_uri.prefixed_query}
	reverse_proxy APP
}
`

// journeys shows every kind of credential, good and bad, and answers them all.
func journeys(t *testing.T, s *site) (secrets []string) {
	t.Helper()
	header := s.issuer.Sign(map[string]any{"aud": "app", "sub": "h"})
	cookie := s.issuer.Sign(map[string]any{"aud": "other", "sub": "c"})
	bad := header[:len(header)-8] + "AAAAAAAA"
	session := s.attest(s.issuer.Sign(map[string]any{"aud": "app", "sub": "s", "jti": "api"}))
	jwt := session["session_jwt"].(string)
	token := session["session_token"].(string)
	opaque := "opaque-secret-of-somebody"
	for _, h := range [][]string{
		{"X-Legacy-Token", header}, {"X_Legacy_Token", header}, {"X-Legacy-Token", bad}, {"Cookie", "legacy=" + cookie}, {"Authorization", "Bearer " + token},
		{"Authorization", "Bearer " + jwt}, {"Cookie", "__Host-session=" + token}, {"Authorization", "Bearer " + opaque}, {"X-Session-Jwt", jwt},
		{"X-Legacy-Token", header, "Sec-Fetch-Mode", "cors"},
	} {
		res := s.get("/page?access_token="+header+"&id_token="+token, h...)
		for _, line := range res.Header.Values("Set-Cookie") {
			value, _, _ := strings.Cut(strings.TrimPrefix(line, "__Host-session="), ";")
			secrets = append(secrets, value)
		}
		res.Body.Close()
	}
	ticket := "ticket-of-an-address-0123456789"
	s.get("/page?ticket=" + ticket).Body.Close()
	s.get("/elsewhere?ticket="+ticket+"&a=1", "Authorization", "Bearer "+token).Body.Close()
	r, _ := s.app.seen()
	if sent := r.Header.Get("X-Sent"); sent != "/elsewhere?a=1?a=1" || r.URL.RawQuery != "a=1" {
		t.Errorf("the app received %s, and hears of %s", r.URL.RawQuery, sent)
	}
	return append(secrets, ticket, header, cookie, bad, jwt, token, opaque, apiSecret, r.Header.Get("X-Session-Jwt"))
}

// attest makes a session by the API.
func (s *site) attest(token string) (answer map[string]any) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"profile_id": "acme", "token": token})
	s.must(err)
	r, err := http.NewRequest(http.MethodPost, s.url("/v1/b2b/sessions/attest"), bytes.NewReader(body))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(projectName, apiSecret)
	res := s.do(r)
	defer res.Body.Close()
	s.must(json.NewDecoder(res.Body).Decode(&answer))
	if answer["session_token"] == nil {
		s.t.Fatal(answer)
	}
	return answer
}

func (s *site) written(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"log", "access"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// Whatever is logged, at whatever level, also with log_credentials, holds no credential.
func TestLogsHoldNoCredential(t *testing.T) {
	for format, clean := range map[string]bool{"attest": true, "attest console": true, "json": false} {
		s := newSite(t, strings.ReplaceAll(loggingSite, "FORMAT", format))
		secrets := journeys(t, s)
		s.must(caddy.Stop())
		text, found := s.written(t), 0
		if !strings.Contains(text, "/page") || !strings.Contains(text, "127.0.0.1") {
			t.Fatalf("%s: the log says nothing of the requests: %.300s", format, text)
		}
		for _, secret := range secrets {
			// A part of a token that nobody could use would be no leak; a signature's is.
			for _, part := range append(strings.Split(secret, "."), secret) {
				if len(part) >= 20 && !strings.HasPrefix(part, "session-") && strings.Contains(text, part) {
					found++
					if clean {
						t.Errorf("%s: the log holds %.60s", format, part)
					}
				}
			}
		}
		if !clean && found == 0 {
			t.Errorf("%s: nothing was found, so that the test could not fail", format)
		}
	}
}

// A configuration whose logs would hold tokens is told of it when it loads.
func TestLogsThatHoldTokensAreWarnedOf(t *testing.T) {
	quiet := strings.NewReplacer("\t\tlog_credentials\n", "", "\tdebug\n", "")
	for _, c := range []struct {
		format, text, want string
	}{
		{"json", loggingSite, "as log_credentials says"},
		{"json", quiet.Replace(loggingSite), "holds trusted tokens"},
		{"attest", loggingSite, ""},
		{"json", strings.NewReplacer("token_from header X-Legacy-Token", "", "token_from query ticket at /page", "", "audience address", "audience app3", "audience other", "audience app2").Replace(quiet.Replace(loggingSite)), ""},
	} {
		s := newSite(t, strings.ReplaceAll(c.text, "FORMAT", c.format))
		s.must(caddy.Stop())
		if text := s.logged(); strings.Contains(text, "the access log of a server holds") != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: want %q in %s", c.format, c.want, text)
		}
	}
}

// written by an encoder, as an entry of fields.
func encoded(t *testing.T, fields ...zap.Field) string {
	t.Helper()
	e := new(logformat.Encoder)
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	if err := e.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	buf, err := e.Clone().EncodeEntry(zapcore.Entry{Message: "token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl came"}, fields)
	if err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// FastCGI logs the environment of the program, in which headers have the names of CGI.
func TestLogFormatOfFastCGI(t *testing.T) {
	names, err := logformat.Publish(t)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logformat.Withdraw(t) }()
	names.Add("X-Session-Jwt", "X-User")
	env := zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		for _, name := range []string{"HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_X_SESSION_JWT", "HTTP_X_USER"} {
			enc.AddString(name, "secret-"+name)
		}
		enc.AddString("REQUEST_METHOD", "GET")
		return nil
	})
	if text := encoded(t, zap.Object("env", env)); strings.Contains(text, "secret-") || !strings.Contains(text, "GET") {
		t.Error(text)
	}
}

// Before a configuration has said which headers it uses, none is written, and no query.
func TestLogFormatBeforeAnyConfiguration(t *testing.T) {
	headers := http.Header{"X-Anything": {"value-1"}, "Accept": {"value-2"}}
	object := zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		enc.AddString("uri", "/a?code=value-3&b")
		enc.AddString("method", "GET")
		return enc.AddReflected("headers", headers)
	})
	text := encoded(t, zap.Object("request", object), zap.Any("resp_headers", map[string]any{"X-A": []string{"value-4"}}))
	if strings.Contains(text, "value-") || strings.Contains(text, "eyJ") || !strings.Contains(text, "GET") || !strings.Contains(text, "/a?code=REDACTED") {
		t.Error(text)
	}
	names, err := logformat.Publish(t)
	if err != nil {
		t.Fatal(err)
	}
	names.Add("X-Token")
	headers["X_Token"] = []string{"value-5"}
	text = encoded(t, zap.Object("request", object), zap.Strings("list", []string{"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "plain"}), zap.Any("any", map[string]any{"deep": []any{"session-00000000-0000-0000-0000-000000000000.abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}}))
	if !strings.Contains(text, "value-1") || !strings.Contains(text, "value-3") || strings.Contains(text, "value-5") || strings.Contains(text, "eyJ") || strings.Contains(text, "abcdefghij") || !strings.Contains(text, "plain") {
		t.Error(text)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Error(err)
	}
	if err := logformat.Withdraw(t); err != nil {
		t.Error(err)
	}
	if text = encoded(t, zap.Object("request", object)); strings.Contains(text, "value-1") {
		t.Error("what was withdrawn still counts")
	}
}
