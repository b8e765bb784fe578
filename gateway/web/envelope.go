package web

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// WriteJSON answers a call of the session API.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	text, err := strictjson.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"status_code":500,"error_type":"internal_server_error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// envelope is the one shape of every refused call (Stytch's error envelope).
type envelope struct {
	StatusCode   int               `json:"status_code"`
	RequestID    string            `json:"request_id"`
	ErrorType    string            `json:"error_type"`
	ErrorMessage string            `json:"error_message"`
	ErrorURL     string            `json:"error_url"`
	ErrorDetails map[string]string `json:"error_details,omitempty"`
}

const errorDocs = "https://github.com/attestgate/caddy-attest/blob/main/docs/errors.md#"

// WriteEnvelope answers a refused call of the session API.
func WriteEnvelope(w http.ResponseWriter, refused *authn.Refusal, status int, requestID string) {
	e := envelope{
		StatusCode: status, RequestID: requestID, ErrorType: refused.Code, ErrorMessage: refused.Message,
		ErrorURL: errorDocs + refused.Code, ErrorDetails: refused.Details(),
	}
	WriteJSON(w, status, e)
}

// NewRequestID makes the request_id of an answer.
func NewRequestID() string { return "request-id-" + uuid.NewString() }
