package probe

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bounds of one request.
const (
	timeout = 5 * time.Second
	maxBody = 64 << 10 // that is compared
)

// Config is what an upstream is asked, and with what.
type Config struct {
	URL string
	// Header carries the JWT, after Scheme where there is one.
	Header, Scheme string
	// Good is a JWT that the upstream should take; OtherAudience and Expired are of the same
	// key, and should not be taken.
	Good, OtherAudience, Expired string
}

// A Try is one request, and what the upstream made of it.
type Try struct {
	Name   string `json:"name"`
	Status int    `json:"status"`
	// Accepted tells that the answer is that to a good JWT.
	Accepted bool `json:"accepted"`
	// Should tells whether it should be.
	Should bool `json:"should"`
	// Says is what is wrong, and what to do.
	Says  string `json:"says,omitempty"`
	Error string `json:"error,omitempty"`
}

// A Result is that of all tries.
type Result struct {
	// Good tells that the upstream takes the good JWT and nothing else.
	Good    bool   `json:"good"`
	Summary string `json:"summary"`
	Tries   []Try  `json:"tries"`
}

// attempt is a try before it is made.
type attempt struct {
	name, token string
	header      http.Header
	should      bool
	says        string
}

func (c Config) attempts() []attempt {
	payload := strings.Split(c.Good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "."
	if len(payload) == 3 {
		none += payload[1]
	}
	return []attempt{
		{"a good JWT of a member called probe", c.Good, nil, true, "the app refuses what the gateway signs: its issuer, audience or JWKS is another than the gateway's"},
		{"no JWT", "", nil, false, "the app answers without a JWT as with one: nothing keeps out whoever reaches it past the gateway"},
		{"a JWT with another signature", tampered(c.Good), nil, false, "the app does not verify the signature: it believes whatever is written"},
		{"a JWT without signature (alg none)", none + ".", nil, false, "the app takes alg none: let its library accept the gateway's algorithm alone"},
		{"a JWT for another audience", c.OtherAudience, nil, false, "the app does not compare aud: what the gateway signs for another app is taken here"},
		{"a JWT that has expired", c.Expired, nil, false, "the app does not compare exp: a JWT that leaked once is good for ever"},
		{"headers that name an admin", "", forged(), false, "the app believes headers that anybody can write"},
	}
}

// forged are the headers in which proxies tell apps who somebody is.
func forged() http.Header {
	h := http.Header{}
	for _, name := range []string{"X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-Auth-Request-Email", "X-User", "X-User-Id", "X-Remote-User", "Remote-User"} {
		h.Set(name, "admin")
	}
	return h
}

// tampered is a JWT of which the signature is another of the same length.
func tampered(token string) string {
	i := strings.LastIndexByte(token, '.') + 1
	if i >= len(token) {
		return token
	}
	other := byte('A')
	if token[i] == other {
		other = 'B'
	}
	return token[:i] + string(other) + token[i+1:]
}

// answer is what is compared of one.
type answer struct {
	status int
	body   [sha256.Size]byte
}

// Run makes the tries one after the other. The error is that of the address.
func Run(ctx context.Context, c Config) (Result, error) {
	if r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil); err != nil || r.URL.Host == "" || r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.User != nil {
		return Result{}, fmt.Errorf("probe: expected the http or https URL of an upstream")
	}
	client := &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var answers []answer
	var tries []Try
	for _, a := range c.attempts() {
		got, err := c.ask(ctx, client, a)
		try := Try{Name: a.name, Status: got.status, Should: a.should}
		if err != nil {
			try.Error = "no answer"
		}
		answers, tries = append(answers, got), append(tries, try)
	}
	again, _ := c.ask(ctx, client, attempt{})
	return c.judge(answers, again, tries), nil
}

func (c Config) ask(ctx context.Context, client *http.Client, a attempt) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return answer{}, err
	}
	for name, values := range a.header {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "attest-probe")
	if a.token != "" {
		r.Header.Set(c.Header, strings.TrimSpace(c.Scheme+" "+a.token))
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	h := sha256.New()
	_, err = io.Copy(h, io.LimitReader(response.Body, maxBody))
	got := answer{status: response.StatusCode}
	copy(got.body[:], h.Sum(nil))
	return got, err
}

// judge compares the answers with that to the good JWT and those without any. Where an
// app answers everything with one status, bodies tell whether it makes a difference: to
// what it does not believe it says what it says to nobody.
func (c Config) judge(answers []answer, again answer, tries []Try) Result {
	good, without := answers[0], answers[1]
	taken := good.status >= 200 && good.status < 300
	accepted := func(i int, a answer) bool {
		switch {
		case !taken || tries[i].Error != "" || a.status != good.status:
			return false
		case i == 0 || good.status != without.status:
			return true
		case i == 1 || without.body != again.body:
			return a.body == good.body
		}
		return a.body != without.body
	}
	r := Result{Good: taken, Tries: tries}
	for i, a := range c.attempts() {
		try := &r.Tries[i]
		if try.Accepted = accepted(i, answers[i]); try.Accepted != a.should {
			try.Says, r.Good = a.says, false
		}
	}
	if r.Good && good.status == without.status && without.body != again.body {
		r.Good, r.Summary = false, fmt.Sprintf("the app answers %d whoever asks, and each time otherwise, so that nothing can be told; name a URL that it refuses without a JWT", good.status)
		return r
	}
	r.Summary = summary(r, taken)
	return r
}

func summary(r Result, taken bool) string {
	switch {
	case r.Good:
		return "the app takes the gateway's JWT and nothing else"
	case r.Tries[0].Error != "":
		return "the app does not answer"
	case !taken:
		return fmt.Sprintf("the app answers %d to a good JWT: %s", r.Tries[0].Status, r.Tries[0].Says)
	}
	for _, try := range r.Tries {
		if try.Says != "" {
			return try.Says
		}
	}
	return ""
}
