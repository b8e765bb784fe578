package admin

import (
	"io"
	"net/http"

	"go.uber.org/zap"
)

// A stream is an answer that is written as it is made, as JSON lines of which the last
// says that it is whole.
type stream func(w io.Writer) error

// exportStore changes nothing, but all that a gateway keeps leaves it: where only
// looking is allowed it is left out.
func (a *Admin) exportStore(c *call) (any, error) {
	if a.Config.Export == nil {
		return nil, errNoExport
	}
	return stream(func(w io.Writer) error { return a.Config.Export(c.Context(), w) }), nil
}

// send writes a stream. What ends it early is told by the end that it lacks.
func (a *Admin) send(w http.ResponseWriter, r *http.Request, s stream) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	if err := s(w); err != nil {
		a.log.Error("an operator's call failed", zap.String("path", r.URL.Path), zap.Error(err))
		return
	}
	a.log.Info("an operator has taken a backup of the store", zap.String("client", r.RemoteAddr))
}
