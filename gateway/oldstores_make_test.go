package gateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

var makeStores = flag.String("make-stores", "", "write the stores of this release into a new directory of that name below testdata/stores")

// TestMakeStores writes what TestStoresOfEarlierReleases reads. It never writes
// over stores that are there: an earlier release cannot be asked to write them
// anew.
func TestMakeStores(t *testing.T) {
	if *makeStores == "" {
		t.Skip("only with -make-stores")
	}
	dir := filepath.Join(oldStores, *makeStores)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []string{"plain", "compat"} {
		t.Run(dialect+"/bolt", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "attest.db")
			s := openBolt(t, file, firstMoment)
			r := populate(t, dialect, s)
			closeStore(t, s)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r.save(t, dialect, "bolt", filepath.Join(dir, dialect+"-bolt"), data)
		})
		t.Run(dialect+"/redis", func(t *testing.T) {
			server := redistest.Start(t)
			r := populate(t, dialect, openRedis(t, server, firstMoment))
			r.save(t, dialect, "redis", filepath.Join(dir, dialect+"-redis"), dump(t, server))
		})
	}
}

// firstMoment is so far ahead that Redis, which has a clock of its own, does not
// see the records expire.
var firstMoment = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func closeStore(t *testing.T, s watchedStore) {
	t.Helper()
	if err := s.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
}

// save packs the store, and records what a gateway that opens it anew answers.
func (r *recording) save(t *testing.T, dialect, backend, base string, data []byte) {
	t.Helper()
	pack(t, base+".store.gz", data)
	r.record(openOldStore(t, r, dialect, restored(t, backend, base+".store.gz", r.Now)))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(string(text), `{"why":`, "\n"+`{"why":`)
	pack(t, base+".json.gz", []byte(lines+"\n"))
}

func pack(t *testing.T, path string, data []byte) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dump is all that a server holds, as commands that make it anew.
func dump(t *testing.T, server *redistest.Server) []byte {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	defer client.Close()
	ctx := t.Context()
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	var b bytes.Buffer
	for _, key := range keys {
		if members, err := client.ZRangeWithScores(ctx, key, 0, -1).Result(); err == nil {
			for _, m := range members {
				command(&b, "ZADD", key, strconv.FormatFloat(m.Score, 'f', -1, 64), m.Member.(string))
			}
		} else {
			value, err := client.Get(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
			command(&b, "SET", key, value)
		}
		end, err := client.PExpireTime(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if end > 0 {
			command(&b, "PEXPIREAT", key, strconv.FormatInt(end.Milliseconds(), 10))
		}
	}
	return b.Bytes()
}

// command writes a command as Redis reads it.
func command(b *bytes.Buffer, words ...string) {
	fmt.Fprintf(b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(b, "$%d\r\n%s\r\n", len(word), word)
	}
}

// populate lets a gateway of this release do everything that leaves something in
// its store, and answers what is to be asked of it afterwards.
func populate(t *testing.T, dialect string, s watchedStore) *recording {
	t.Helper()
	r := &recording{Now: firstMoment}
	p := &populator{recording: r, claim: "session"}
	if dialect == "compat" {
		p.claim = "https://stytch.com/session"
	}
	p.world, p.route = openOldStore(t, r, dialect, s)
	r.Keys = map[string]json.RawMessage{}
	for name, signer := range p.signers {
		set, err := jose.MarshalKeySet([]jose.Key{signer.Key()})
		p.must(err)
		r.Keys[name] = set
	}
	p.must(p.ring.Rotate(t.Context(), mint.RotateOptions{Emergency: true})) // leaves a kid that is denied
	p.dead("idle for too long", p.begin("corp", "ada", nil))
	old := p.begin("corp", "ada", nil)
	p.shows("idle but for a proxied request", old["session_token"])
	p.clock.Advance(25 * time.Minute)
	p.organizationsAndMembers()
	p.ordinarySessions()
	p.implicitSessions()
	if dialect == "compat" {
		p.users()
	}
	p.clock.Advance(12 * time.Minute)
	p.must(p.ring.Rotate(t.Context(), mint.RotateOptions{})) // leaves a retired, an active and a next key
	p.use()
	p.useProxied(old)
	p.clock.Advance(12 * time.Minute)
	p.askAnew()
	r.Now = p.clock.Now()
	return r
}

// A populator fills a store and notes what is to be asked.
type populator struct {
	*recording
	*world
	route *proxy.Route
	claim string // of the session, in a JWT
	// live are the answers about sessions that must live on.
	live   []claims.Object
	tokens int
}

// person signs a token of a profile.
func (p *populator) person(profile, name string, more claims.Object) string {
	p.tokens++
	return p.token(profile, with(claims.Object{
		"sub": name, "email": name + "@example.com", "name": strings.ToUpper(name), "jti": fmt.Sprint("t-", p.tokens),
		"exp": p.clock.Now().Add(12 * time.Hour).Unix(),
	}, more))
}

// begin makes an ordinary session.
func (p *populator) begin(profile, name string, body claims.Object) claims.Object {
	p.t.Helper()
	return p.ok("POST", attestPath, with(claims.Object{
		"profile_id": profile, "token": p.person(profile, name, nil), "session_duration_minutes": 600,
	}, body))
}

// lives notes a session that must live on, and what it says of itself.
func (p *populator) lives(why string, answer claims.Object) {
	p.live = append(p.live, answer)
	p.shows(why+", its token", answer["session_token"])
	p.shows(why+", its JWT by the retired key", answer["session_jwt"])
	p.asks(why+", its token", "POST", authenticatePath, claims.Object{"session_token": answer["session_token"]})
	p.asks(why+", its JWT", "POST", authenticatePath, claims.Object{"session_jwt": answer["session_jwt"]})
}

func (p *populator) shows(why string, bearer any) {
	p.Requests = append(p.Requests, recordedRequest{Why: why, Bearer: bearer.(string)})
}

func (p *populator) asks(why, method, path string, body claims.Object) {
	p.Calls = append(p.Calls, recordedCall{Why: why, Method: method, Path: path, Body: body})
}

func (p *populator) asksForMember(why, organization, member string) {
	p.asks(why, "GET", orgsPath+"/members/dangerously_get/"+member+"?include_deleted=true", nil)
	p.asks(why+", sessions", "GET", "/v1/b2b/sessions?organization_id="+organization+"&member_id="+member, nil)
}

func (p *populator) organizationsAndMembers() {
	made := p.organization(claims.Object{
		"organization_name": "Made", "organization_slug": "made", "organization_external_id": "made-1",
		"trusted_metadata": claims.Object{"plan": "free"}, "profiles": []string{"made"},
	})
	open := p.organization(claims.Object{"organization_name": "Open", "organization_slug": "open"})
	gone := p.organization(claims.Object{"organization_name": "Gone", "organization_slug": "gone"})
	p.ok("DELETE", orgsPath+"/"+gone, nil)
	for why, id := range map[string]string{"made": made, "open": open, "gone": gone, "corp": "corp", "people": "people"} {
		p.asks("organization "+why, "GET", orgsPath+"/"+id, nil)
	}
	members := map[string]claims.Object{
		"active": {"email_address": "active@example.com", "external_id": "active-1", "name": "Active", "roles": []string{"editor"},
			"trusted_metadata": claims.Object{"seat": "window"}, "untrusted_metadata": claims.Object{"colour": "blue"}},
		"invited": {"email_address": "invited@example.com", "status": "invited", "roles": []string{"editor", "reader"},
			"trusted_metadata": claims.Object{"seat": "aisle"}},
		"pending": {"email_address": "pending@example.com", "create_member_as_pending": true},
		"deleted": {"email_address": "deleted@example.com", "external_id": "deleted-1"},
	}
	for _, why := range slices.Sorted(maps.Keys(members)) {
		id := p.member(made, members[why])
		if why == "deleted" {
			p.ok("DELETE", orgsPath+"/"+made+"/members/"+id, nil)
		}
		p.asksForMember("member "+why, made, id)
	}
	cy := p.begin("made", "cy", claims.Object{"organization_id": made})
	p.lives("just in time in an organization by the API", cy)
	p.asksForMember("member cy", made, cy["member_id"].(string))
	open2 := p.begin("made", "cy", claims.Object{"organization_id": open, "token": p.person("made", "cy", claims.Object{"email_verified": false})})
	p.lives("in an organization without profiles", open2)
	p.asksForMember("member with an unverified address", open, open2["member_id"].(string))
}

func (p *populator) ordinarySessions() {
	ada := p.begin("corp", "ada", claims.Object{
		"session_custom_claims": claims.Object{"cart": claims.Object{"items": []int{1, 2}}, "plan": nil},
		"token":                 p.person("corp", "ada", claims.Object{"roles": []string{"editor"}, "auth_time": p.clock.Now().Unix() - 60}),
	})
	for _, profile := range []string{"device", "keyed"} {
		p.ok("POST", attestPath, claims.Object{
			"profile_id": profile, "session_token": ada["session_token"], "token": p.person(profile, "ada", claims.Object{"sid": "ada's"}),
		})
	}
	p.lives("three factors, one of them second_only, and an overlay", ada)
	p.lives("the same member again", p.begin("corp", "ada", nil))
	p.asksForMember("member ada", "corp", ada["member_id"].(string))
	revoked := p.begin("corp", "ada", nil)
	p.ok("POST", revokePath, claims.Object{"session_token": revoked["session_token"]})
	p.dead("revoked", revoked)
	p.dead("past its end", p.begin("corp", "ada", claims.Object{"session_duration_minutes": 5}))
	bo := p.begin("tenants", "bo", claims.Object{"token": p.person("tenants", "bo", claims.Object{"tenant": "t-1", "roles": []string{"reader"}})})
	p.lives("in an organization made just in time", bo)
	organization := at(bo, "organization.organization_id").(string)
	p.asks("organization just in time", "GET", orgsPath+"/"+organization, nil)
	p.asksForMember("member bo", organization, bo["member_id"].(string))
}

func (p *populator) dead(why string, answer claims.Object) {
	p.shows(why, answer["session_token"])
	p.asks(why, "POST", authenticatePath, claims.Object{"session_token": answer["session_token"]})
}

func (p *populator) implicitSessions() {
	eve := p.person("corp", "eve", nil)
	p.admitted(eve)
	p.shows("implicit", eve)
	first, newer := p.person("keyed", "eve", claims.Object{"sid": "k-1"}), p.person("keyed", "eve", claims.Object{"sid": "k-1"})
	if p.admitted(first) != p.admitted(newer) {
		p.t.Fatal("one session key, and two sessions")
	}
	p.shows("implicit with a session key", first)
	p.shows("implicit with a session key, a newer token", newer)
	ended := p.person("corp", "eve", nil)
	p.ok("POST", revokePath, claims.Object{"member_session_id": p.admitted(ended)})
	p.shows("implicit and revoked", ended)
}

// admitted is the id of the implicit session of a token.
func (p *populator) admitted(token string) any {
	p.t.Helper()
	status, got := p.request(p.route, token)
	if status != 204 {
		p.t.Fatalf("proxied: %d", status)
	}
	return got[p.claim].(map[string]any)["id"]
}

func (p *populator) users() {
	una := p.ok("POST", "/v1/sessions/attest", claims.Object{
		"profile_id": "user", "token": p.person("user", "una", nil), "session_duration_minutes": 600,
		"session_custom_claims": claims.Object{"cart": 1},
	})
	p.lives("a user's", una)
	p.asks("a user's session", "POST", "/v1/sessions/authenticate", claims.Object{"session_token": una["session_token"]})
	p.asks("a user's sessions", "GET", "/v1/sessions?user_id="+una["user_id"].(string), nil)
}

// use keeps the sessions that live on from being idle, and moves the end of one.
func (p *populator) use() {
	p.t.Helper()
	for i, answer := range p.live {
		body := claims.Object{"session_token": answer["session_token"]}
		if i == 0 {
			body["session_duration_minutes"] = 700
		}
		used := p.ok("POST", authenticatePath, body)
		p.shows("a JWT by the active key", used["session_jwt"])
	}
}

// useProxied uses a session by a proxied request alone, which is noted beside its
// record, and waits until it is.
func (p *populator) useProxied(answer claims.Object) {
	p.t.Helper()
	p.admitted(answer["session_token"].(string))
	partition := "s:" + at(answer, "member_session.member_session_id").(string)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found, err := p.store.Get(p.t.Context(), partition, "a")
		p.must(err)
		if found[0].Exists() {
			return
		}
	}
	p.t.Fatal("the use is never noted")
}

// askAnew asks for everybody by a token that was not shown before: they are found,
// and not made again.
func (p *populator) askAnew() {
	for _, who := range [][2]string{{"corp", "ada"}, {"keyed", "ada"}, {"corp", "eve"}} {
		p.asks("a new token of "+who[1], "POST", attestPath, claims.Object{
			"profile_id": who[0], "token": p.person(who[0], who[1], claims.Object{"sid": "k-2"}),
		})
	}
	p.asks("a new token of bo", "POST", attestPath, claims.Object{
		"profile_id": "tenants", "token": p.person("tenants", "bo", claims.Object{"tenant": "t-1"}),
	})
	p.asks("a token of the deleted member", "POST", attestPath, claims.Object{
		"profile_id": "made", "organization_id": "made", "token": p.person("made", "deleted", nil),
	})
	p.asks("a token of the invited member", "POST", attestPath, claims.Object{
		"profile_id": "made", "organization_id": "made", "token": p.person("made", "invited", nil),
	})
}

// volatile are the members of an answer that are others each time.
var volatile = []string{"request_id", "session_jwt", "last_accessed_at", "iat", "nbf", "exp"}

// kept are the members of an answer about a session that are worth their place.
var kept = []string{"status_code", "error_type", "member_id", "user_id", "session_token", "member_session", "session"}

// record asks, and keeps what is answered.
func (r *recording) record(w *world, route *proxy.Route) {
	r.JWKS = w.ring.JWKS()
	for i := range r.Requests {
		each := &r.Requests[i]
		each.Status, each.Claims = w.request(route, each.Bearer)
		steady(map[string]any(each.Claims))
	}
	for i := range r.Calls {
		each := &r.Calls[i]
		each.Status, each.Answer = w.call(each.Method, each.Path, each.Body)
		if each.Method == "POST" { // the others ask for member and organization
			maps.DeleteFunc(each.Answer, func(name string, _ any) bool { return !slices.Contains(kept, name) })
		}
		if each.Path == attestPath { // makes a new session each time
			delete(each.Answer, "member_session")
			delete(each.Answer, "session_token")
		}
		steady(map[string]any(each.Answer))
	}
}

// steady takes out what is another each time.
func steady(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range volatile {
			delete(v, name)
		}
		for _, member := range v {
			steady(member)
		}
	case []any:
		for _, element := range v {
			steady(element)
		}
	}
}
