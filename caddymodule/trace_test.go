package caddymodule

import (
	"net/http/httptest"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session"
)

// The span of a request says who was admitted, or why nobody was.
func TestTraces(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	ctx, span := tracer.Start(t.Context(), "request")
	r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	decision := authn.Decision{LiveSession: authn.LiveSession{Session: session.Session{ID: "session-1"}}, Profile: "acme", JWT: "secret"}
	traceAdmission(&proxy.Admission{Decision: decision, Request: r})
	traceRefusal(r, authn.RefuseFor("no_credential", "because"), "id-1")
	span.End()
	found := map[string]string{}
	for _, a := range recorder.Ended()[0].Attributes() {
		found[string(a.Key)] = a.Value.Emit()
	}
	for name, want := range map[string]string{
		"attest.profile": "acme", "attest.session_id": "session-1", "attest.code": "no_credential", "attest.reason": "because", "attest.refusal_id": "id-1",
	} {
		if found[name] != want {
			t.Errorf("%s is %q, want %q", name, found[name], want)
		}
	}
	traceRefusal(httptest.NewRequest("GET", "/", nil), authn.Refuse("no_credential", nil), "id-2") // without a span nothing happens
}
