package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"
)

// A client asks the admin endpoint of one Caddy.
type client struct {
	address caddy.NetworkAddress
	http    *http.Client
}

// errUnreachable tells that nobody answered.
var errUnreachable = errors.New("no gateway answers at this admin address")

// A refusedError is what the gateway answered instead of a result.
type refusedError struct{ Code, Message string }

func (e *refusedError) Error() string { return e.Code + ": " + e.Message }

// callTimeout bounds one call: ending thousands of sessions takes a while.
const callTimeout = 10 * time.Minute

// newClient reads an admin address as Caddy does: host:port, or unix//path.
func newClient(address string) (*client, error) {
	parsed, err := caddy.ParseNetworkAddress(address)
	if err != nil || parsed.PortRangeSize() > 1 {
		return nil, usagef("%q is no admin address", address)
	}
	if parsed.IsUnixNetwork() {
		parsed.Host, _, _ = strings.Cut(parsed.Host, "|") // permission bits
	}
	c := &client{address: parsed}
	c.http = &http.Client{Timeout: callTimeout, Transport: &http.Transport{DialContext: c.dial}}
	return c, nil
}

func (c *client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if c.address.IsUnixNetwork() {
		return dialer.DialContext(ctx, c.address.Network, c.address.Host)
	}
	return dialer.DialContext(ctx, "tcp", c.address.JoinHostPort(0))
}

// call asks one operation and answers its JSON; more tells that a list was cut off.
func (c *client) call(ctx context.Context, method, path string, body any) (answer []byte, more bool, err error) {
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, false, err
	}
	response, err := c.http.Do(request)
	if method == http.MethodGet && errors.Is(err, syscall.ECONNRESET) { // a reload replaces the listener
		response, err = c.http.Do(request)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, false, refused(response.StatusCode, answer)
	}
	return answer, response.Header.Get("Attest-More") != "", nil
}

// Download asks the gateway that a command is about for an operation's answer, and
// copies it as it comes.
func Download(cmd *cobra.Command, path string, w io.Writer) error {
	c, err := ask(cmd)
	if err != nil {
		return err
	}
	request, err := c.request(cmd.Context(), http.MethodPost, path, struct{}{})
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		return refused(response.StatusCode, answer)
	}
	_, err = io.Copy(w, response.Body)
	return err
}

func (c *client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	host := "127.0.0.1"
	if !c.address.IsUnixNetwork() {
		host = c.address.JoinHostPort(0)
	}
	var content io.Reader
	if method != http.MethodGet {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://"+host) // what Caddy asks of an admin client where it enforces origins
	return r, nil
}

func refused(status int, answer []byte) error {
	var e refusedError
	var text struct{ Error string }
	switch {
	case json.Unmarshal(answer, &e) == nil && e.Code != "":
		return &e
	case json.Unmarshal(answer, &text) == nil && text.Error != "":
		return &refusedError{http.StatusText(status), text.Error}
	case status == http.StatusNotFound:
		return &refusedError{"not found", "this Caddy has no Attest, or an older one"}
	}
	return &refusedError{http.StatusText(status), strings.TrimSpace(string(answer))}
}
