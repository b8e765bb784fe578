package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/gateway/admin"
)

// operated is a site with Caddy's admin endpoint.
type operated struct {
	*site
	address string
}

func newOperated(t *testing.T, text string) *operated {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	return &operated{newSite(t, strings.Replace(text, "admin off", "admin "+address, 1)), address}
}

// command runs `caddy attest …` and answers what it printed.
func (s *operated) command(args ...string) (string, error) {
	root := &cobra.Command{Use: "attest", SilenceErrors: true, SilenceUsage: true}
	command.Flags(root)
	command.Group(root, command.Commands()...)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append([]string{"--address", s.address}, args...))
	err := root.ExecuteContext(s.t.Context())
	return out.String(), err
}

func (s *operated) run(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...)
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// answer is an operation's JSON.
func (s *operated) answer(method, path, body string) (int, any) {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+s.address+path, strings.NewReader(body))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(r)
	s.must(err)
	defer res.Body.Close()
	var v any
	s.must(json.NewDecoder(res.Body).Decode(&v))
	return res.StatusCode, v
}

// signIn attests a token and answers the session.
func (s *operated) signIn(sub string) (token, id string) {
	s.t.Helper()
	status, made := s.call("/v1/b2b/sessions/attest", map[string]any{
		"profile_id": "acme", "token": s.token(map[string]any{
			"sub": sub, "email": sub + "@example.com",
			"iat": time.Now().Add(2 * time.Second).Unix(), // after what was revoked in this second
		}),
	})
	if status != http.StatusOK {
		s.t.Fatalf("attest: %d %v", status, made)
	}
	return made["session_token"].(string), made["member_session"].(map[string]any)["member_session_id"].(string)
}

func TestOperatorLooksAtSessionsAndEndsThem(t *testing.T) {
	s := newOperated(t, plainSite)
	ada, id := s.signIn("ada")
	bob, _ := s.signIn("bob")
	if out := s.run("sessions", "list"); strings.Count(out, "session-") != 2 || !strings.Contains(out, "bob@example.com") {
		t.Errorf("list: %s", out)
	}
	if out := s.run("sessions", "list", "--profile", "acme", "--issuer", s.issuer.URL, "--factor", "trusted_auth_token", "--json"); strings.Count(out, `"session_id"`) != 2 {
		t.Errorf("filtered list: %s", out)
	}
	if out := s.run("sessions", "list", "--profile", "acme", "--issuer", "https://other.example"); strings.Contains(out, "session-") {
		t.Errorf("a filter that fits nothing: %s", out)
	}
	if out := s.run("sessions", "show", id); !strings.Contains(out, id) || strings.Contains(out, ada) {
		t.Errorf("show: %s", out)
	}
	s.run("sessions", "revoke", id)
	refused(t, s.get("/", "Authorization", "Bearer "+ada), 401, "session_not_found")
	if _, err := s.command("sessions", "show", id); err == nil {
		t.Error("an ended session is shown")
	}
	if out, err := s.command("sessions", "revoke", "--profile", "acme"); err == nil || !strings.Contains(err.Error(), "1 sessions would end") {
		t.Errorf("without --yes: %q, %v", out, err)
	}
	if out := s.run("sessions", "revoke", "--profile", "acme", "--yes"); !strings.Contains(out, "1 have ended") {
		t.Errorf("revoke: %s", out)
	}
	refused(t, s.get("/", "Authorization", "Bearer "+bob), 401, "session_not_found")
}

func TestOperatorRevokesWhoIsNamed(t *testing.T) {
	s := newOperated(t, plainSite)
	var members []map[string]any
	ada, _ := s.signIn("ada")
	s.must(json.Unmarshal([]byte(s.run("members", "list", "--json")), &members))
	id := members[0]["member_id"].(string)
	if out := s.run("members", "show", id); !strings.Contains(out, "ada@example.com") {
		t.Errorf("show: %s", out)
	}
	s.run("members", "revoke", id)
	refused(t, s.get("/", "Authorization", "Bearer "+ada), 401, "session_not_found")

	again, _ := s.signIn("ada")
	if out := s.run("organizations", "list"); !strings.Contains(out, "acme") {
		t.Errorf("list: %s", out)
	}
	s.run("organizations", "revoke", "acme")
	refused(t, s.get("/", "Authorization", "Bearer "+again), 401, "session_not_found")

	third, _ := s.signIn("ada")
	s.run("profiles", "revoke", "acme")
	refused(t, s.get("/", "Authorization", "Bearer "+third), 401, "profile_not_accepted")
}

// What a partner ever made is ended, and the partner kept out, also after a reload.
func TestDisabledProfileIsKeptOut(t *testing.T) {
	s := newOperated(t, plainSite)
	ada, _ := s.signIn("ada")
	token := s.token(nil)
	s.run("profiles", "disable", "acme")
	for range 2 {
		refused(t, s.get("/", "Authorization", "Bearer "+ada), 401, "profile_disabled")
		refused(t, s.get("/", "Authorization", "Bearer "+token), 401, "profile_disabled")
		if status, answer := s.call("/v1/b2b/sessions/authenticate", map[string]any{"session_token": ada}); status != 400 || answer["error_type"] != "profile_disabled" {
			t.Errorf("authenticate: %d %v", status, answer["error_type"])
		}
		if status, answer := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)}); status != 400 || answer["error_type"] != "profile_disabled" {
			t.Errorf("attest: %d %v", status, answer["error_type"])
		}
		s.must(s.load(strings.Replace(plainSite, "admin off", "admin "+s.address, 1)))
	}
	if out := s.run("levers", "list"); !strings.Contains(out, `"acme"`) {
		t.Errorf("levers: %s", out)
	}
	s.run("profiles", "enable", "acme")
	if res := s.get("/", "Authorization", "Bearer "+ada); res.StatusCode != 200 {
		t.Errorf("enabled: %d", res.StatusCode)
	}
}

func TestFreezeLetsSessionsGoOn(t *testing.T) {
	s := newOperated(t, plainSite)
	ada, _ := s.signIn("ada")
	known, fresh := s.token(nil), s.token(map[string]any{"sub": "eve", "email": "eve@example.com"})
	if res := s.get("/", "Authorization", "Bearer "+known); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	s.run("levers", "freeze")
	for range 2 { // before and after a reload, which empties the local cache
		for _, credential := range []string{ada, known} {
			if res := s.get("/", "Authorization", "Bearer "+credential); res.StatusCode != 200 {
				t.Errorf("a session that there is: %d", res.StatusCode)
			}
		}
		refused(t, s.get("/", "Authorization", "Bearer "+fresh), 503, "sign_ins_frozen")
		if got := s.scrape()["caddy_attest_sign_ins_frozen"]; got != "1" {
			t.Errorf("sign_ins_frozen is %q", got)
		}
		s.must(s.load(strings.Replace(plainSite, "admin off", "admin "+s.address, 1)))
	}
	s.run("levers", "unfreeze")
	if res := s.get("/", "Authorization", "Bearer "+fresh); res.StatusCode != 200 {
		t.Errorf("unfrozen: %d", res.StatusCode)
	}
	s.run("levers", "freeze")
	s.run("profiles", "disable", "acme")
	if out := s.run("levers", "clear"); !strings.Contains(out, `"frozen": false`) || !strings.Contains(out, `"disabled_profiles": []`) {
		t.Errorf("clear: %s", out)
	}
	s.run("levers", "revoke-before")
	refused(t, s.get("/", "Authorization", "Bearer "+ada), 401, "profile_not_accepted")
}

func TestOperatorRotatesKeys(t *testing.T) {
	s := newOperated(t, plainSite)
	if out := s.run("keys", "list"); !strings.Contains(out, "active") {
		t.Errorf("keys: %s", out)
	}
	if _, err := s.command("keys", "rotate"); err == nil || !strings.Contains(err.Error(), "too_early") {
		t.Errorf("a next key that nobody has seen: %v", err)
	}
	var keys []map[string]any
	s.must(json.Unmarshal([]byte(s.run("keys", "list", "--json")), &keys))
	for _, k := range keys {
		out, err := s.command("keys", "retire", "--", k["kid"].(string)) // a kid may begin with -
		if k["state"] == "active" && (err == nil || !strings.Contains(err.Error(), "key_signs")) || k["state"] == "next" && (err != nil || !strings.Contains(out, "denied")) {
			t.Errorf("retire the %s key: %v\n%s", k["state"], err, out)
		}
	}
	if out := s.run("keys", "rotate", "--emergency"); strings.Count(out, "denied") != 2 {
		t.Errorf("emergency: %s", out)
	}
	if out := s.run("jwks", "refresh", "acme"); !strings.Contains(out, `"keys": `) {
		t.Errorf("refresh: %s", out)
	}
}

func TestStatusAndRoutes(t *testing.T) {
	s := newOperated(t, plainSite)
	if out := s.run("status"); !strings.Contains(out, "nothing is degraded") || !strings.Contains(out, "(this)") {
		t.Errorf("status: %s", out)
	}
	if out := s.run("status", "--json"); !strings.Contains(out, `"degraded": []`) || !strings.Contains(out, `"backend"`) || !strings.Contains(out, `"this": true`) {
		t.Errorf("status: %s", out)
	}
	if out := s.run("routes"); !strings.Contains(out, strings.TrimPrefix(s.app.URL, "http://")) || !strings.Contains(out, "Caddyfile:") {
		t.Errorf("routes: %s", out)
	}
	s.run("jwks", "refresh", "acme") // not the one of the start, which may be under way
	s.issuer.Down()
	s.run("jwks", "refresh", "acme")
	if out := s.run("status"); !strings.Contains(out, "degraded: issuer acme ") {
		t.Errorf("status: %s", out)
	}
}

func TestUnknownVerbAndUnreachableGateway(t *testing.T) {
	s := newOperated(t, plainSite)
	for want, args := range map[string][]string{
		`"nope" is no command`: {"nope"}, `"liste" is no command`: {"sessions", "liste"}, "takes 1 arguments": {"sessions", "show"},
	} {
		if _, err := s.command(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
	s.address = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	if _, err := s.command("status"); err == nil || !strings.Contains(err.Error(), "no gateway answers") {
		t.Errorf("nobody there: %v", err)
	}
}

// texts are all strings of an answer, names of members included.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			list = append(list, texts(item)...)
		}
		return list
	case map[string]any:
		list := slices.Collect(maps.Keys(v))
		for _, item := range v {
			list = append(list, texts(item)...)
		}
		return list
	}
	return nil
}

// No answer to an operator holds anything that works as a credential.
func TestAdminAnswersHoldNoCredential(t *testing.T) {
	s := newOperated(t, plainSite)
	_, id := s.signIn("ada")
	s.get("/", "Authorization", "Bearer "+s.token(nil))
	s.get("/", "Authorization", "Bearer "+s.token(map[string]any{"aud": "other"}))
	_, document := s.answer("GET", "/attest/openapi.json", "")
	tried := map[string]bool{}
	for path, methods := range document.(map[string]any)["paths"].(map[string]any) {
		if _, reads := methods.(map[string]any)["get"]; !reads {
			continue
		}
		_, answer := s.answer("GET", strings.NewReplacer("{session}", id, "{organization}", "acme", "{profile}", "acme").Replace(path), "")
		for _, text := range texts(answer) {
			tried[text] = true
		}
	}
	if !tried[id] || !tried["ada@example.com"] {
		t.Fatal("the answers hold neither session nor member")
	}
	for text := range tried {
		if strings.ContainsAny(text, "\r\n\x00") {
			continue
		}
		if res := s.get("/", "Authorization", "Bearer "+text); res.StatusCode == http.StatusOK {
			t.Errorf("%q is admitted", text)
		}
		if status, _ := s.call("/v1/b2b/sessions/authenticate", map[string]any{"session_token": text}); status == http.StatusOK {
			t.Errorf("%q is a session token", text)
		}
		if status, _ := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": text}); status == http.StatusOK {
			t.Errorf("%q is a trusted token", text)
		}
	}
}

// Whoever is refused is told an id, and whoever asks with it is told why.
func TestWhyARequestWasRefused(t *testing.T) {
	s := newOperated(t, plainSite)
	secret := "s3cr3t-claim-value"
	bad := s.token(map[string]any{"aud": "another-app", "note": secret})
	res := s.get("/some/path?token="+bad, "Authorization", "Bearer "+bad)
	_, id, _ := strings.Cut(res.Header.Get("Attest-Error"), "id=")
	out := s.run("why", id)
	for _, want := range []string{"audience_mismatch", "GET 127.0.0.1", "/some/path from 127.0.0.1", "another-app", "✓ issuer", "✗ audience", "→ "} {
		if !strings.Contains(out, want) {
			t.Errorf("why does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, secret) || strings.Contains(out, strings.Split(bad, ".")[2]) {
		t.Errorf("why says too much:\n%s", out)
	}
	if out := s.run("refusals", "--code", "invalid_trusted_auth_token"); !strings.Contains(out, id) {
		t.Errorf("refusals: %s", out)
	}
	status, answer := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": bad})
	if out := s.run("why", answer["request_id"].(string)); status != 400 || !strings.Contains(out, "✗ audience") {
		t.Errorf("%d %s", status, out)
	}
	if _, err := s.command("why", "nope"); err == nil {
		t.Error("an id that nobody has")
	}
}

// One line for each refusal says who asked for what and what did not fit, and a flood
// of them is a few lines and a count.
func TestRefusalsInTheLog(t *testing.T) {
	s := newOperated(t, plainSite)
	bad := s.token(map[string]any{"aud": "another-app"})
	for range 500 {
		s.get("/some/path?token=x", "Authorization", "Bearer "+bad)
	}
	var lines []map[string]any
	for _, line := range strings.Split(s.logged(), "\n") {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) == nil && v["msg"] == "request refused" {
			lines = append(lines, v)
		}
	}
	if len(lines) < 5 || len(lines) > 100 {
		t.Fatalf("%d lines for 500 refusals", len(lines))
	}
	for name, want := range map[string]any{
		"host": strings.TrimPrefix(s.url(""), "http://"), "method": "GET", "uri": "/some/path", "client_ip": "127.0.0.1", "profile": "acme",
		"code": "invalid_trusted_auth_token", "reason": "audience_mismatch", "check": "audience", "found": "another-app", "configured": "aud holding app",
	} {
		if lines[0][name] != want {
			t.Errorf("%s is %v, want %v", name, lines[0][name], want)
		}
	}
	if lines[0]["id"] == "" || strings.Contains(s.logged(), bad) {
		t.Error("no id, or the token itself")
	}
}

// scrape answers what Prometheus reads, by metric and labels.
func (s *operated) scrapeOnce() ([]byte, error) {
	res, err := http.Get("http://" + s.address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

func (s *operated) scrape() map[string]string {
	s.t.Helper()
	text, err := s.scrapeOnce()
	for tries := 0; err != nil && tries < 20; tries++ { // Caddy ends its former admin endpoint some time after a reload
		time.Sleep(50 * time.Millisecond)
		text, err = s.scrapeOnce()
	}
	s.must(err)
	found := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, "} "); ok && strings.HasPrefix(line, "caddy_attest_") {
			found[name+"}"] = value
		} else if name, value, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "caddy_attest_") {
			found[name] = value
		}
	}
	return found
}

// Counters go on after a reload, and nobody outside makes new series.
func TestMetricsSurviveAReload(t *testing.T) {
	s := newOperated(t, plainSite)
	ada, _ := s.signIn("ada")
	for round := 1; round <= 3; round++ {
		if res := s.get("/", "Authorization", "Bearer "+ada); res.StatusCode != 200 {
			t.Fatal(res.StatusCode)
		}
		s.get("/", "Authorization", "Bearer "+s.token(map[string]any{"aud": fmt.Sprint("evil", round), "iss": s.issuer.URL}))
		s.get("/", "Authorization", fmt.Sprint("Bearer x.y", round))
		found := s.scrape()
		for name, want := range map[string]string{
			`caddy_attest_requests_total{code="",door="proxy",profile="acme",reason="",result="admitted"}`:                                           fmt.Sprint(round),
			`caddy_attest_requests_total{code="invalid_trusted_auth_token",door="proxy",profile="acme",reason="audience_mismatch",result="refused"}`: fmt.Sprint(round),
			`caddy_attest_changes_total{action="session_started",profile="acme"}`:                                                                    "1",
			`caddy_attest_changes_total{action="member_created",profile="acme"}`:                                                                     "1",
			`caddy_attest_key_set_fetch_failing{profile="acme"}`:                                                                                     "0",
		} {
			if found[name] != want {
				t.Errorf("round %d: %s is %q, want %s", round, name, found[name], want)
			}
		}
		for name := range found {
			if strings.Contains(name, "evil") || strings.Contains(name, "x.y") {
				t.Errorf("a label from a request: %s", name)
			}
		}
		s.must(s.load(strings.Replace(plainSite, "admin off", "admin "+s.address, 1)))
	}
}

// Every change leaves one audit record: what, who, where from; never a credential.
func TestAuditLog(t *testing.T) {
	s := newOperated(t, plainSite)
	token, id := s.signIn("ada")
	s.get("/", "Authorization", "Bearer "+s.token(map[string]any{"sub": "bob", "email": "bob@example.com"}))
	s.run("sessions", "revoke", id)
	s.run("profiles", "disable", "acme")
	s.run("keys", "rotate", "--emergency")
	var records []map[string]any
	for _, line := range strings.Split(s.logged(), "\n") {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) == nil && v["logger"] == "attest.audit" {
			records = append(records, v)
		}
	}
	has := func(want map[string]any) bool {
		return slices.ContainsFunc(records, func(r map[string]any) bool {
			for name, v := range want {
				if r[name] != v {
					return false
				}
			}
			return true
		})
	}
	for _, want := range []map[string]any{
		{"msg": "organization_created", "profile": "acme", "door": "api"},
		{"msg": "member_created", "profile": "acme", "door": "api", "client_ip": "127.0.0.1"},
		{"msg": "session_started", "profile": "acme", "door": "api", "session_id": id, "implicit": false},
		{"msg": "session_started", "profile": "acme", "door": "proxy", "implicit": true, "client_ip": "127.0.0.1"},
		{"msg": "session_revoked", "door": "admin", "session_id": id, "confirmed": true},
		{"msg": "profile_disabled", "door": "admin", "profile": "acme"},
		{"msg": "keys_rotated", "door": "admin"},
	} {
		if !has(want) {
			t.Errorf("no record %v in %v", want, records)
		}
	}
	if strings.Contains(s.logged(), token) {
		t.Error("a session token is in the log")
	}
}

func TestHealth(t *testing.T) {
	s := newOperated(t, strings.Replace(plainSite, "\tattest_api\n", "\tattest_api {\n\t\thealth /healthz\n\t}\n", 1))
	check := func(path string, status int, says string) {
		t.Helper()
		res := s.get(path)
		body := string(read(t, res))
		if res.StatusCode != status || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		if strings.Contains(body, s.issuer.URL) {
			t.Errorf("%s names an internal URL: %s", path, body)
		}
	}
	s.run("jwks", "refresh", "acme")
	check("/healthz", 200, `"status": "ok"`)
	check("/healthz?strict", 200, `"status": "ok"`)
	s.issuer.Down()
	s.run("jwks", "refresh", "acme")
	check("/healthz", 200, `"issuer"`)
	check("/healthz?strict", 503, `"degraded"`)
	if status, answer := s.answer("GET", "/attest/health", ""); status != 200 || answer.(map[string]any)["status"] != "degraded" {
		t.Errorf("%d %v", status, answer)
	}
}

// What is away is told once, with what and why, and once when it is back.
func TestDeadKeyEndpointIsToldOnce(t *testing.T) {
	s := newOperated(t, plainSite)
	s.run("jwks", "refresh", "acme")
	s.issuer.Down()
	for range 3 {
		s.run("jwks", "refresh", "acme")
	}
	s.issuer.Up()
	s.run("jwks", "refresh", "acme")
	log := s.logged()
	if n := strings.Count(log, "cannot be fetched"); n != 1 || !strings.Contains(log, `"url":"`+s.issuer.JWKS) {
		t.Errorf("told %d times", n)
	}
	if n := strings.Count(log, `"back_after"`); n != 1 {
		t.Errorf("its end is told %d times", n)
	}
}

// Keys are fetched at the start and not when the first user comes: what became of it is in
// the log, and of a typo in the URL the cause as well.
func TestFirstFetchOfKeysIsTold(t *testing.T) {
	s := newSite(t, strings.Replace(plainSite, "JWKS", "ISSUER/jwks.jsno", 1))
	s.issuer.Serve(http.NotFound)
	s.must(s.load(s.text + "\n")) // the new configuration fetches anew
	s.awaitLog("status 404")
	if log := s.logged(); !strings.Contains(log, s.issuer.URL+"/jwks.jsno") {
		t.Error("the URL is not told")
	}
	s.issuer.Up()
	s.must(s.load(plainSite))
	s.awaitLog("the keys of a profile are fetched")
}

// A review of a configuration sees who gains access, in words and by the exit status.
func TestRoutesDiffTellsWhoGainsAccess(t *testing.T) {
	s := newOperated(t, plainSite)
	old := filepath.Join(s.dir, "routes.json")
	s.must(os.WriteFile(old, []byte(s.run("routes", "--json")), 0o600))
	if out := s.run("routes", "--diff", old); out != "" {
		t.Errorf("nothing has changed: %s", out)
	}
	opened := strings.Replace(strings.Replace(plainSite, "admin off", "admin "+s.address, 1), "\tattest acme\n", "\tattest acme {\n\t\toptional\n\t}\n", 1)
	s.must(s.load(opened))
	out, err := s.command("routes", "--diff", old)
	if err == nil || !strings.Contains(out, "+ anybody, without identity, now reaches ") {
		t.Errorf("opened to everybody: %v\n%s", err, out)
	}
	s.must(os.WriteFile(old, []byte(s.run("routes", "--json")), 0o600))
	s.must(s.load(strings.Replace(plainSite, "admin off", "admin "+s.address, 1)))
	if out := s.run("routes", "--diff", old); !strings.Contains(out, "- anybody, without identity, no longer reaches ") {
		t.Errorf("closed again: %s", out)
	}
}

// Sites that import one attest have its line in common, and configurations in JSON have
// no lines: each site still has its own upstreams and profiles.
func TestRoutesTellSitesWithOneAttestApart(t *testing.T) {
	site := head + `
(guarded) {
	attest acme
}
http://a.test:PORT {
	import guarded
	reverse_proxy 127.0.0.1:1
}
http://b.test:PORT {
	import guarded
	reverse_proxy 127.0.0.1:2
}
http://127.0.0.1:PORT {
	attest_api
	attest acme {
		optional
	}
	reverse_proxy APP
}
`
	s := newOperated(t, site)
	check := func(kind string) {
		t.Helper()
		var list []admin.Route
		s.must(json.Unmarshal([]byte(s.run("routes", "--json")), &list))
		found := map[string]admin.Route{}
		for _, r := range list {
			for _, upstream := range r.Upstreams {
				found[upstream] = r
			}
			if len(r.Sites) != 1 || len(r.Upstreams) != 1 {
				t.Errorf("%s: sites %v, upstreams %v", kind, r.Sites, r.Upstreams)
			}
		}
		a, b := found["127.0.0.1:1"], found["127.0.0.1:2"]
		if len(list) != 3 || !strings.Contains(strings.Join(a.Sites, ""), "a.test") || !strings.Contains(strings.Join(b.Sites, ""), "b.test") || a.Anonymous || b.Anonymous {
			t.Errorf("%s: %d routes, %+v, %+v", kind, len(list), a, b)
		}
	}
	check("Caddyfile")
	config, err := s.adapted(strings.Replace(site, "admin off", "admin "+s.address, 1))
	s.must(err)
	s.must(caddy.Load(regexp.MustCompile(`,?"source":"[^"]*"`).ReplaceAll(config, nil), true))
	check("JSON")
}

func TestOperatorRendersTemplates(t *testing.T) {
	s := newOperated(t, plainSite)
	s.signIn("ada")
	var members []map[string]any
	s.must(json.Unmarshal([]byte(s.run("members", "list", "--json")), &members))
	if out := s.run("templates", "render", "--text", `{"e": {{ member.email_address }}}`, "--member", members[0]["member_id"].(string)); !strings.Contains(out, `"e": "ada@example.com"`) {
		t.Errorf("rendered: %s", out)
	}
	if out := s.run("templates", "render", "--text", "{\n\"e\": {{ nobody }}\n}"); !strings.Contains(out, `"line": 2`) {
		t.Errorf("a mistake: %s", out)
	}
}

// probe says what an app takes: the app of these tests believes everybody. Its JWTs are
// nowhere to be seen, and no door takes them.
func TestProbeOfAnAppThatChecksNothing(t *testing.T) {
	s := newOperated(t, plainSite)
	out, err := s.command("probe", s.app.URL)
	if err == nil || !strings.Contains(out, "does not verify the signature") || !strings.Contains(out, "✗") {
		t.Errorf("%v\n%s", err, out)
	}
	up, _ := s.app.seen()
	status, answer := s.answer("POST", "/attest/probe", `{"url": "`+s.app.URL+`"}`)
	if result := answer.(map[string]any); status != 200 || result["good"] != false {
		t.Errorf("%d %v", status, answer)
	}
	if text := fmt.Sprint(answer, s.logged()); strings.Contains(text, "eyJ") || !strings.Contains(text, "upstream_probed") {
		t.Errorf("answer and log: %.2000s", text)
	}
	if jwt := up.Header.Get("Authorization"); jwt != "" {
		refused(t, s.get("/", "Authorization", jwt), 401, "invalid_session_credential")
	}
	if _, err := s.command("probe", "ftp://app"); err == nil || !strings.Contains(err.Error(), "expected the http or https URL") {
		t.Errorf("%v", err)
	}
}
