package trusttest

import "net/http"

// Serve answers every request with this from now on, whatever it is.
func (i *Issuer) Serve(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.release()
	i.answer = answer
}

// ServeBody answers with status 200 and this body.
func (i *Issuer) ServeBody(body []byte) {
	i.Serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

// Down answers 500 until Up.
func (i *Issuer) Down() {
	i.Serve(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "down", http.StatusInternalServerError)
	})
}

// Hang answers nothing until Up, another answer, or the caller gives up.
func (i *Issuer) Hang() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.release()
	stop := make(chan struct{})
	i.hanging = stop
	i.answer = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
}

// Up serves the key set again.
func (i *Issuer) Up() { i.Serve(nil) }

func (i *Issuer) release() {
	if i.hanging != nil {
		close(i.hanging)
		i.hanging = nil
	}
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches++
	answer := i.answer
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	if r.URL.Path != "/.well-known/jwks.json" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(i.KeySet())
}
