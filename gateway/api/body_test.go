package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// F33: a caller that never ends its body is not waited for; one that does may take its
// time afterwards.
func TestSlowBodyEnds(t *testing.T) {
	read := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(within(w, r, 500*time.Millisecond).Body)
		read <- err
		if err == nil {
			select {
			case <-r.Context().Done():
				t.Error("the deadline of the body ended the call")
			case <-time.After(700 * time.Millisecond):
			}
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
	if err := <-read; err == nil {
		t.Error("half a body was read to its end")
	}
	for range 2 { // on one connection
		res, err := http.Post(server.URL, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := <-read; err != nil {
			t.Error(err)
		}
	}
}
