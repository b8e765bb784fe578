package caddymodule

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// traceAdmission notes on the span of Caddy's tracing, where there is one, who was
// admitted: names and ids, never a credential or a claim.
func traceAdmission(a *proxy.Admission) {
	span := trace.SpanFromContext(a.Request.Context())
	if !span.IsRecording() {
		return
	}
	if a.Anonymous {
		span.SetAttributes(attribute.Bool("attest.anonymous", true))
		return
	}
	span.SetAttributes(
		attribute.String("attest.profile", a.Profile), attribute.String("attest.session_id", a.Session.ID),
		attribute.String("attest.member_id", a.Member.ID), attribute.String("attest.organization_id", a.Organization.ID),
	)
}

// traceRefusal notes why a request was refused.
func traceRefusal(r *http.Request, refused *authn.Refusal, id string) {
	if span := trace.SpanFromContext(r.Context()); span.IsRecording() {
		span.SetAttributes(
			attribute.String("attest.code", refused.Code), attribute.String("attest.reason", refused.Reason), attribute.String("attest.refusal_id", id),
		)
	}
}
