package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A connection that stays open ends with the session that admitted it: a protocol that was
// switched to, a tunnel, a stream of events. Whatever else takes long is a transfer, and is
// not cut.

// streaming are the types of answers without an end (also by their first words).
var streaming = []string{"text/event-stream", "application/grpc", "application/x-ndjson", "multipart/x-mixed-replace"}

func isStream(r *http.Request, h http.Header, status int) bool {
	kind := strings.ToLower(strings.TrimSpace(h.Get("Content-Type")))
	for _, prefix := range streaming {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return status == http.StatusSwitchingProtocols || r.Method == http.MethodConnect || h.Get("Incremental") == "?1"
}

// open joins the streams where the answer is one. What ends it is that nothing can be read
// or written any more: the server then cancels the request (HTTP/1) or resets the stream.
func (w *responseWriter) open(status int) {
	if !w.admission.rests() || !isStream(w.admission.Request, w.Header(), status) {
		return
	}
	control := http.NewResponseController(innermost(w.ResponseWriter))
	w.rejoin(func() {
		past := time.Unix(1, 0)
		_ = control.SetReadDeadline(past)
		_ = control.SetWriteDeadline(past)
	})
}

// innermost is the writer of the server itself: those around it keep deadlines of their own,
// and are not made for two at once.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = outer.Unwrap()
	}
}

func (w *responseWriter) rejoin(end func()) {
	w.leave()
	w.stream.Store(w.admission.join(end))
}

// leave is for when the answer has ended.
func (w *responseWriter) leave() {
	if s := w.stream.Swap(nil); s != nil {
		s.Leave()
	}
}

// active notes that the client has sent something.
func (w *responseWriter) active() {
	if s := w.stream.Load(); s != nil {
		s.Active()
	}
}

// Hijack hands over a connection that ends with the session.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil || !w.admission.rests() {
		return conn, buffered, err
	}
	w.rejoin(func() { _ = conn.Close() })
	return activeConn{conn, w}, buffered, nil
}

// An activeConn notes what the client sends.
type activeConn struct {
	net.Conn
	answer *responseWriter
}

// Read implements io.Reader.
func (c activeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.answer.active()
	}
	return n, err
}

// activeBody is activeConn for the body of a request.
type activeBody struct {
	io.ReadCloser
	answer *responseWriter
}

// Read implements io.Reader.
func (b activeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.answer.active()
	}
	return n, err
}
