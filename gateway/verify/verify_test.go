package verify_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/verify"
	"github.com/attestgate/caddy-attest/gateway/web"
)

func trusted(*http.Request) bool { return true }

func door(family string, hosts ...string) *verify.Door {
	return verify.New(verify.Config{For: family, Hosts: hosts, Headers: []string{"X-Session-Jwt"}, Trusted: trusted})
}

// question is one as the proxy of the example asks it, about POST https://app.example.com/a?b=c.
func question(family string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://app.example.com/", nil)
	r.Header = http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Cookie": {"a=b"}}
	switch family {
	case "nginx", "haproxy":
		setAll(r.Header, "X-Original-", "POST", "/a?b=c")
	case "caddy", "traefik":
		setAll(r.Header, "X-Forwarded-", "POST", "/a?b=c")
	case "envoy":
		r.Method, r.RequestURI = http.MethodPost, "/a?b=c"
		r.Header["X-Forwarded-Proto"] = []string{"https"}
	}
	return r
}

func setAll(h http.Header, prefix, method, uri string) {
	for name, value := range map[string]string{"Method": method, "Uri": uri, "Host": "app.example.com", "Proto": "https"} {
		h[prefix+name] = []string{value}
	}
}

func code(err error) string {
	var refused *authn.Refusal
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.Code
}

// Each kind of proxy is understood: what is judged is the request that it asks about.
func TestQuestionOfEachFamily(t *testing.T) {
	for _, family := range verify.Families() {
		r := question(family)
		r.Header["Origin"] = []string{"https://app.example.com"}
		got, err := door(family).Request(r)
		if err != nil {
			t.Errorf("%s: %v", family, err)
			continue
		}
		if got.Method != "POST" || got.URL.Path != "/a" || got.URL.RawQuery != "b=c" || got.Host != "app.example.com" || got.RequestURI != "/a?b=c" || web.OriginalURI(got) != "/a?b=c" {
			t.Errorf("%s: judged %s %s of %s", family, got.Method, got.URL, got.Host)
		}
		if (web.Cookie{}).CrossSite(got) {
			t.Errorf("%s: the scheme did not arrive", family)
		}
		for _, name := range []string{"Method", "Uri", "Host", "Proto"} {
			if got.Header["X-Original-"+name] != nil || got.Header["X-Forwarded-"+name] != nil {
				t.Errorf("%s: %s is still there", family, name)
			}
		}
		if got.Header.Get("Cookie") != "a=b" || r.Header.Get("X-Forwarded-Proto")+r.Header.Get("X-Original-Proto") == "" {
			t.Errorf("%s: the headers are wrong, or the question's were changed", family)
		}
	}
}

// A header of the question that is missing, doubled or unreadable refuses it, and is never
// made up from the question itself.
func TestQuestionMustBeWhole(t *testing.T) {
	bad := map[string][][]string{
		"Method": {nil, {}, {""}, {"GET", "GET"}, {"GET POST"}, {"GET\r\n"}, {strings.Repeat("A", 33)}},
		"Uri": {
			nil, {}, {""}, {"/", "/"}, {"a"}, {"*"}, {"http://other.example.com/"}, {"//other.example.com/%zz"}, {"/%"}, {"/a b\x00"}, {"/" + strings.Repeat("a", 16<<10)},
		},
		"Host":  {nil, {}, {""}, {"app.example.com", "app.example.com"}, {"app.example.com, a"}, {"a@app.example.com"}, {"app.example.com:"}, {"app.example.com/"}},
		"Proto": {nil, {}, {""}, {"https", "http"}, {"https,http"}, {"HTTPS"}, {"ftp"}},
	}
	for _, family := range verify.Families() {
		prefix := map[bool]string{true: "X-Original-", false: "X-Forwarded-"}[family == "nginx" || family == "haproxy"]
		for part, values := range bad {
			if family == "envoy" && part != "Proto" {
				continue
			}
			for _, lines := range values {
				r := question(family)
				if r.Header[prefix+part] = lines; lines == nil {
					delete(r.Header, prefix+part)
				}
				if _, err := door(family).Request(r); code(err) != "invalid_forwarded_request" {
					t.Errorf("%s: %s %q: got %v", family, part, lines, err)
				}
			}
		}
	}
}

// Nothing that another kind of proxy would say is read.
func TestQuestionOfAnotherFamily(t *testing.T) {
	for _, pair := range [][2]string{{"nginx", "caddy"}, {"caddy", "nginx"}, {"haproxy", "traefik"}, {"traefik", "haproxy"}, {"nginx", "envoy"}} {
		if _, err := door(pair[0]).Request(question(pair[1])); code(err) != "invalid_forwarded_request" {
			t.Errorf("for %s, asked as %s: got %v", pair[0], pair[1], err)
		}
	}
}

func TestQuestionOfAStranger(t *testing.T) {
	d := verify.New(verify.Config{For: "nginx", Trusted: func(*http.Request) bool { return false }})
	if _, err := d.Request(question("nginx")); code(err) != "untrusted_proxy" {
		t.Errorf("got %v", err)
	}
}

// The host is that of the question or one of Hosts, whatever its case and port.
func TestHosts(t *testing.T) {
	for host, want := range map[string]string{
		"app.example.com": "", "APP.example.com:8443": "", "app.example.com.": "", "other.example.com": "", "other.example.com:80": "",
		"third.example.com": "unknown_host", "app.example.com.evil.test": "unknown_host", "[::1]:80": "unknown_host",
	} {
		r := question("nginx")
		r.Header["X-Original-Host"] = []string{host}
		if _, err := door("nginx", "other.example.com").Request(r); code(err) != want {
			t.Errorf("%s: got %v, want %q", host, err, want)
		}
	}
}

// A proxy on this machine does not make its clients local: dev tokens are not for them.
func TestQuestionFromLoopbackIsNotLocal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := door("nginx").Request(r)
		if err != nil || !web.BothEndsLoopback(r) || web.BothEndsLoopback(got) {
			t.Errorf("%v: the request counts as local", err)
		}
	}))
	t.Cleanup(server.Close)
	r := question("nginx")
	r.Header.Del("X-Forwarded-For")
	r.URL.Host, r.RequestURI = server.Listener.Addr().(*net.TCPAddr).String(), ""
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// A proxy keeps Upgrade for itself, and a page of another site may open a WebSocket: it is
// judged as the change that it is.
func TestWebSocketWithoutUpgradeIsOne(t *testing.T) {
	for _, family := range verify.Families() {
		r := question(family)
		if family == "envoy" {
			r.Method = http.MethodGet
		} else {
			for name := range r.Header {
				if strings.HasSuffix(name, "-Method") {
					r.Header[name] = []string{http.MethodGet}
				}
			}
		}
		r.Header["Origin"] = []string{"https://evil.test"}
		plain, err := door(family).Request(r)
		if err != nil || (web.Cookie{}).CrossSite(plain) {
			t.Errorf("%s: a GET counts as a change, %v", family, err)
		}
		r.Header["Sec-Websocket-Key"] = []string{"a"}
		upgrade, err := door(family).Request(r)
		if err != nil || !(web.Cookie{}).CrossSite(upgrade) {
			t.Errorf("%s: a WebSocket does not count as a change, %v", family, err)
		}
	}
	r := question("traefik")
	r.Header["X-Forwarded-Proto"] = []string{"wss"}
	r.Header["Origin"] = []string{"https://app.example.com"}
	if got, err := door("traefik").Request(r); err != nil || (web.Cookie{}).CrossSite(got) {
		t.Errorf("wss is not https: %v", err)
	}
}

// The answer has what the proxy sends on, and what only Envoy can remove is refused elsewhere.
func TestGrant(t *testing.T) {
	sent := http.Header{"Authorization": {"Bearer x"}, "Cookie": {"a=b; __Host-session=s", "c=d"}, "X-Session-Jwt": {"forged"}, "X-Http-Method": {"PUT"}, "Accept": {"*/*"}}
	admitted := http.Header{"Cookie": {"a=b", "c=d"}, "X-Session-Jwt": {"ours"}, "Accept": {"*/*"}}
	for _, family := range verify.Families() {
		got := make(http.Header)
		if err := door(family).Grant(got, sent, admitted); err != nil {
			t.Errorf("%s: %v", family, err)
		}
		want := http.Header{"Cookie": {"a=b; c=d"}, "X-Session-Jwt": {"ours"}}
		if family == "envoy" {
			want["X-Envoy-Auth-Headers-To-Remove"] = []string{"authorization, x-original-url, x-rewrite-url, x-http-method, x-http-method-override, x-method-override"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", family, diff)
		}
		aliased := sent.Clone()
		aliased["X.session.jwt"] = []string{"forged"}
		got = make(http.Header)
		err := door(family).Grant(got, aliased, admitted)
		if family == "envoy" {
			if err != nil || !strings.HasPrefix(got.Get("X-Envoy-Auth-Headers-To-Remove"), "authorization, x.session.jwt, ") {
				t.Errorf("envoy: got %v, %v", got, err)
			}
		} else if code(err) != "unremovable_header" || len(got) > 0 {
			t.Errorf("%s: got %v, %v", family, got, err)
		}
	}
}

// nginx takes 401 and 403 for a refusal, and all else for a fault of the gateway.
func TestStatus(t *testing.T) {
	for _, status := range []int{302, 400, 401, 403, 404, 405, 429, 500, 502, 503} {
		want := map[int]int{302: 401, 401: 401, 500: 500, 502: 502, 503: 503}[status]
		if want == 0 {
			want = 403
		}
		if got := door("nginx").Status(status); got != want {
			t.Errorf("nginx: %d is %d, want %d", status, got, want)
		}
		for _, family := range []string{"caddy", "envoy", "haproxy", "traefik"} {
			if got := door(family).Status(status); got != status {
				t.Errorf("%s: %d is %d", family, status, got)
			}
		}
	}
}

// nginx reads one Set-Cookie.
func TestCookiesOfOneAnswer(t *testing.T) {
	lines := []string{"a=1", "b=2", "c=3"}
	h := http.Header{"Set-Cookie": slices.Clone(lines)}
	door("nginx").Finish(h)
	if diff := cmp.Diff(http.Header{"Set-Cookie": {"a=1"}, "Set-Cookie-2": {"b=2"}, "Set-Cookie-3": {"c=3"}}, h); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	h = http.Header{"Set-Cookie": slices.Clone(lines)}
	door("caddy").Finish(h)
	if diff := cmp.Diff(http.Header{"Set-Cookie": lines}, h); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		verify.Config
		option string
	}{
		{verify.Config{For: "nginx", Hosts: []string{"app.example.com"}}, ""},
		{verify.Config{}, "for"},
		{verify.Config{For: "apache"}, "for"},
		{verify.Config{For: "nginx", Hosts: []string{"App.example.com"}}, "hosts App.example.com"},
		{verify.Config{For: "nginx", Hosts: []string{"app.example.com:80"}}, "hosts app.example.com:80"},
	} {
		var wrong *verify.ConfigError
		errors.As(c.Check(), &wrong)
		if got := (wrong != nil); got != (c.option != "") || got && wrong.Option != c.option {
			t.Errorf("%+v: got %v", c.Config, c.Check())
		}
	}
}

// FuzzQuestion: what is judged is to the byte what the proxy says, in the words of a request
// line, and never the question's own.
func FuzzQuestion(f *testing.F) {
	f.Add("nginx", "POST", "/a?b=c", "app.example.com", "https", "")
	f.Add("caddy", "GET", "//a/../b", "APP.example.com:80", "http", "")
	f.Add("traefik", "get", "/%2e%2e/;x", "app.example.com.", "wss", "wss")
	f.Add("haproxy", "CONNECT", "app.example.com:443", "[::1]", "https", "")
	f.Add("envoy", "PUT", "http://a/", "a@b", "ws", "")
	f.Fuzz(func(t *testing.T, family, method, uri, host, proto, second string) {
		if !slices.Contains(verify.Families(), family) {
			t.Skip()
		}
		r := httptest.NewRequest(http.MethodGet, "http://app.example.com/question", nil)
		prefix, said := "X-Forwarded-", map[string]string{"Method": method, "Uri": uri, "Host": host, "Proto": proto}
		switch family {
		case "nginx", "haproxy":
			prefix = "X-Original-"
		case "envoy":
			r.Method, r.RequestURI, r.Host, said = method, uri, host, map[string]string{"Proto": proto}
		}
		for part, value := range said {
			r.Header[prefix+part] = []string{value}
		}
		if second != "" {
			r.Header[prefix+"Proto"] = []string{proto, second}
		}
		got, err := door(family).Request(r)
		if err != nil {
			if c := code(err); c != "invalid_forwarded_request" && c != "unknown_host" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if second != "" || got.Method != method || got.RequestURI != uri || got.Host != host || got.URL.Opaque+got.URL.Host+got.URL.Scheme != "" || !strings.HasPrefix(got.URL.EscapedPath(), "/") {
			t.Errorf("%s: said %q %q %q %q, judged %q %q %q", family, method, uri, host, proto, got.Method, got.URL, got.Host)
		}
		if name, _, _ := strings.Cut(strings.ToLower(got.Host), ":"); family != "envoy" && strings.TrimSuffix(name, ".") != "app.example.com" {
			t.Errorf("judged for %q", got.Host)
		}
	})
}
