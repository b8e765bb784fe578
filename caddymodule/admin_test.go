package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
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
	root.SetArgs(append(args, "--address", s.address))
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
		refused(t, s.get("/", "Authorization", "Bearer "+ada), 401, "profile_not_accepted")
		refused(t, s.get("/", "Authorization", "Bearer "+token), 401, "profile_disabled")
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
		s.must(s.load(strings.Replace(plainSite, "admin off", "admin "+s.address, 1)))
	}
	s.run("levers", "unfreeze")
	if res := s.get("/", "Authorization", "Bearer "+fresh); res.StatusCode != 200 {
		t.Errorf("unfrozen: %d", res.StatusCode)
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
	if out := s.run("keys", "rotate", "--emergency"); !strings.Contains(out, "denied") {
		t.Errorf("emergency: %s", out)
	}
	if out := s.run("jwks", "refresh", "acme"); !strings.Contains(out, `"keys": `) {
		t.Errorf("refresh: %s", out)
	}
}

func TestStatusAndRoutes(t *testing.T) {
	s := newOperated(t, plainSite)
	if out := s.run("status"); !strings.Contains(out, `"degraded": []`) || !strings.Contains(out, `"backend"`) {
		t.Errorf("status: %s", out)
	}
	if out := s.run("routes"); !strings.Contains(out, strings.TrimPrefix(s.app.URL, "http://")) || !strings.Contains(out, "Caddyfile:") {
		t.Errorf("routes: %s", out)
	}
	s.issuer.Down()
	s.run("jwks", "refresh", "acme")
	if out := s.run("status"); !strings.Contains(out, "profile acme could not be fetched") {
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
