package api

import (
	"context"
	_ "embed"
	"net/http"
)

const openAPIPath = "/v1/openapi.json"

// openAPIText describes every call of the API (OpenAPI 3.1).
//
//go:embed openapi.json
var openAPIText []byte

// openAPI: the description of the API. It holds nothing of this gateway, so it
// needs no credentials.
func (a *API) openAPI(context.Context, *http.Request) (any, error) { return document(openAPIText), nil }
