// Package logformat is the log format that keeps credentials out of logs: `format attest`.
// Caddy copies a request for its access log before any handler has seen it, so that what a
// handler removes is logged all the same.
package logformat

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

func init() {
	caddy.RegisterModule(new(Encoder))
}

// Encoder writes log entries by another encoder, without credentials: the values of
// Authorization, of cookies and of every header in which a profile reads a token or a route
// writes something, also with `log_credentials`; and session tokens and JWTs wherever they
// stand. Until a configuration with attest is loaded, no value of a header or a query is
// written at all.
type Encoder struct {
	// The encoder that writes. Default: json, and console on a terminal.
	WrappedRaw json.RawMessage `json:"wrap,omitempty" caddy:"namespace=caddy.logging.encoders inline_key=format"`

	wrapped zapcore.Encoder
	object  `json:"-"`
}

// CaddyModule returns the Caddy module information.
func (*Encoder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.logging.encoders.attest",
		New: func() caddy.Module { return new(Encoder) },
	}
}

// encoders counts the encoders of all configurations.
var encoders = caddy.NewUsagePool()

// InUse tells whether some log is written by an Encoder.
func InUse() bool {
	_, inUse := encoders.References(inUseKey{})
	return inUse
}

type inUseKey struct{}

// Cleanup implements caddy.CleanerUpper.
func (*Encoder) Cleanup() error {
	_, err := encoders.Delete(inUseKey{})
	return err
}

// Provision sets up the encoder that writes.
func (e *Encoder) Provision(ctx caddy.Context) error {
	if _, _, err := encoders.LoadOrNew(inUseKey{}, func() (caddy.Destructor, error) { return new(Names), nil }); err != nil {
		return err
	}
	if e.WrappedRaw == nil {
		plain := new(logging.FilterEncoder) // which filters nothing, and chooses between the two
		e.wrap(plain)
		return plain.Provision(ctx)
	}
	wrapped, err := ctx.LoadModule(e, "WrappedRaw")
	if err != nil {
		return fmt.Errorf("loading the encoder that writes: %w", err)
	}
	e.wrap(wrapped.(zapcore.Encoder))
	return nil
}

func (e *Encoder) wrap(encoder zapcore.Encoder) {
	e.wrapped, e.object = encoder, object{ObjectEncoder: encoder}
}

// ConfigureDefaultFormat has the encoder that writes look where the log goes.
func (e *Encoder) ConfigureDefaultFormat(out caddy.WriterOpener) error {
	if inner, ok := e.wrapped.(caddy.ConfiguresFormatterDefault); ok {
		return inner.ConfigureDefaultFormat(out)
	}
	return nil
}

// Clone implements zapcore.Encoder.
func (e *Encoder) Clone() zapcore.Encoder {
	clone := &Encoder{WrappedRaw: e.WrappedRaw}
	clone.wrap(e.wrapped.Clone())
	return clone
}

// EncodeEntry implements zapcore.Encoder.
func (e *Encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	inner := e.wrapped.Clone()
	clean := object{ObjectEncoder: inner}
	for _, f := range fields {
		f.AddTo(clean)
	}
	entry.Message = withoutTokens(entry.Message)
	return inner.EncodeEntry(entry, nil)
}

// UnmarshalCaddyfile reads the format.
//
//	format attest [<encoder> { … }]
func (e *Encoder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the format
	if !d.NextArg() {
		return nil
	}
	name := d.Val()
	module, err := caddyfile.UnmarshalModule(d, "caddy.logging.encoders."+name)
	if err != nil {
		return err
	}
	encoder, ok := module.(zapcore.Encoder)
	if !ok {
		return d.Errf("%s is no log encoder", name)
	}
	e.WrappedRaw = caddyconfig.JSONModuleObject(encoder, "format", name, nil)
	return nil
}

var (
	_ caddy.Provisioner                = (*Encoder)(nil)
	_ caddy.ConfiguresFormatterDefault = (*Encoder)(nil)
	_ zapcore.Encoder                  = (*Encoder)(nil)
	_ caddyfile.Unmarshaler            = (*Encoder)(nil)
)
