package proxy

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// responseWriter guards the header of the answer on the way back: it drops
// Set-Cookie lines of the session cookie's name from the upstream and adds its own,
// and keeps the answer out of shared caches.
type responseWriter struct {
	http.ResponseWriter
	admission *Admission
	stream    atomic.Pointer[authn.Stream]
	begun     bool
}

func (w *responseWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	h, a := w.Header(), w.admission
	a.proxy.cookie.DropFrom(h)
	for _, line := range a.setCookie {
		h.Add("Set-Cookie", line)
	}
	a.mark(h)
	if len(a.setCookie) > 0 {
		h.Set("Cache-Control", "no-store")
	}
}

// WriteHeader guards the header before the final answer; an informational one
// (1xx) carries no cookie that a browser keeps.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin()
		w.open(status)
	} else {
		w.admission.proxy.cookie.DropFrom(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begin()
		w.open(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open for sendfile.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.begun {
		w.begin()
		w.open(http.StatusOK)
	}
	return io.Copy(w.ResponseWriter, r)
}

// Flush makes the header final like a write does.
func (w *responseWriter) Flush() {
	if !w.begun {
		w.begin()
		w.open(http.StatusOK)
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what else the writer can do.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
