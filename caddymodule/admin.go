package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/backup"
)

func init() {
	caddy.RegisterModule(AdminAPI{})
}

// AdminAPI serves what operators ask and change, below /attest/ of Caddy's admin
// endpoint. It has no configuration, and is as strong as that endpoint: whoever
// reaches it may end every session.
type AdminAPI struct{}

// CaddyModule returns the Caddy module information.
func (AdminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.attest",
		New: func() caddy.Module { return new(AdminAPI) },
	}
}

// Routes returns the one route.
func (AdminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: "/attest/", Handler: caddy.AdminHandlerFunc(serveAdmin)}}
}

// health is how the gateway of this configuration stands.
func (a *App) health(ctx context.Context) admin.Health {
	desk := a.admin.Load()
	switch {
	case caddy.Exiting():
		return admin.Health{Status: "draining", Degraded: []admin.Part{}}
	case desk == nil:
		return admin.Health{Status: "starting", Degraded: []admin.Part{}}
	}
	return desk.Health(ctx)
}

// serveAdmin asks the app of the configuration that runs now.
func serveAdmin(w http.ResponseWriter, r *http.Request) error {
	running, err := caddy.ActiveContext().AppIfConfigured("attest")
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Err: fmt.Errorf("attest: no configuration with an attest app runs: %w", err)}
	}
	app := running.(*App)
	app.lease.requests.begin()
	defer app.lease.requests.end()
	if r.URL.Path == "/attest/health" {
		admin.WriteHealth(w, r, app.health(r.Context()))
		return nil
	}
	desk := app.admin.Load()
	if desk == nil {
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: errNotOpen}
	}
	desk.Handler().ServeHTTP(w, r)
	return nil
}

// openAdmin makes the operators' door of an opened gateway.
func (a *App) openAdmin(g *gateway.Gateway, t trusted) error {
	desk, err := admin.New(admin.Config{
		Core: g.Core, Keys: t.remote, Backend: string(a.backend.CaddyModule().ID.Name()), Routes: a.adminRoutes(), Reference: Reference(),
		Export: exportOf(a.lease.store),
	})
	if err != nil {
		return err
	}
	a.admin.Store(desk)
	return nil
}

// exportOf writes the records of a store as they are, sealed; nil where it cannot.
func exportOf(s store.Store) func(context.Context, io.Writer) error {
	if _, ok := s.(store.Exporter); !ok {
		return nil
	}
	return func(ctx context.Context, w io.Writer) error {
		_, err := backup.Write(ctx, w, s, time.Now())
		return err
	}
}

// nodeID is short, and the same as long as the process runs.
func nodeID() string {
	instance, _ := caddy.InstanceID() // without one the host and the process tell nodes apart
	host, _ := os.Hostname()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", instance, host, os.Getpid()))
	return hex.EncodeToString(sum[:3])
}

// moduleVersion is that of this module in the binary.
func moduleVersion() string {
	const path = "github.com/attestgate/caddy-attest"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range append(info.Deps, &info.Main) {
		if module.Path == path && module.Version != "" {
			return module.Version
		}
	}
	return "devel"
}

// configDigest names a configuration. It is computed before placeholders are replaced.
func configDigest(a *App) string {
	data, err := json.Marshal(a)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

var _ caddy.AdminRouter = AdminAPI{}
