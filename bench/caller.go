package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

const (
	issuerName    = "https://issuer.bench"
	projectID     = "project-bench"
	projectSecret = "secret-of-the-benchmark-and-of-nobody-else"
)

// A call is what is sent: a header, or a call of the session API.
type call struct {
	header, value string
	path          string
	body          []byte
}

// A caller makes tokens and sends requests to one program.
type caller struct {
	url    string
	signer *jose.Signer
	client *http.Client
	count  atomic.Int64
}

func newCaller(url string, signer *jose.Signer, clients int) *caller {
	return &caller{url: url, signer: signer, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}}
}

func (c *caller) number() string { return strconv.FormatInt(c.count.Add(1), 10) + rand.Text()[:4] }

// token is one of the trusted issuer's, made without counting against anybody.
func (c *caller) token(sub, id string, more map[string]any) string {
	now := time.Now().Unix()
	claims := map[string]any{"iss": issuerName, "aud": "app", "sub": sub, "jti": id, "iat": now, "auth_time": now, "exp": now + 3600}
	for name, value := range more {
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	text, err := c.signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	return text
}

// A session is what attest answers.
type session struct {
	Token string `json:"session_token"`
	JWT   string `json:"session_jwt"`
}

func (c *caller) attest(sub string, more map[string]any) (s session, err error) {
	answer, err := c.send(c.api("attest", map[string]any{"profile_id": "acme", "token": c.token(sub, c.number(), more)}))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(answer, &s)
}

func (c *caller) api(name string, body any) call {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return call{path: "/v1/b2b/sessions/" + name, body: data}
}

// send sends one call; anything but 200 is an error.
func (c *caller) send(what call) ([]byte, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if what.path != "" {
		method, body = http.MethodPost, bytes.NewReader(what.body)
	}
	r, err := http.NewRequest(method, c.url+what.path, body)
	if err != nil {
		return nil, err
	}
	if what.path != "" {
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(projectID, projectSecret)
	}
	if what.header != "" {
		r.Header.Set(what.header, what.value)
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s %.200s", res.StatusCode, res.Header.Get("Attest-Error"), answer)
	}
	return answer, err
}
