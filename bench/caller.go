package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A call is what is sent: a header, or a call of the session API.
type call struct {
	header, value string
	path          string
	body          []byte
}

func bearer(token string) call { return call{header: "Authorization", value: "Bearer " + token} }

// A caller sends requests to one program.
type caller struct {
	url    string
	client *http.Client
}

func newCaller(url string, clients int) *caller {
	return &caller{url: url, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}}
}

func (c *caller) request(what call) (*http.Request, error) {
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
	return r, nil
}

// A refused call was answered with another status than 200.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// send sends one call; anything but 200 is a *refused.
func (c *caller) send(what call) ([]byte, error) {
	r, err := c.request(what)
	if err != nil {
		return nil, err
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = &refused{res.StatusCode, fmt.Sprintf("%s %.200s", res.Header.Get("Attest-Error"), answer)}
	}
	return answer, err
}
