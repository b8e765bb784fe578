package api

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// The metadata of an issuer, by which verifiers find its keys: OpenID Connect
// Discovery 1.0 puts it behind the issuer, RFC 8414 between host and path. Under
// compat the issuer is no URL, so there is nowhere to look for it.
const (
	openIDPath = "/.well-known/openid-configuration"
	serverPath = "/.well-known/oauth-authorization-server"
)

// issuerURL is the issuer, if it is a URL.
func (a *API) issuerURL() (*url.URL, bool) {
	u, err := url.Parse(a.core.Issuer)
	return u, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// metadataPaths are where the issuer's metadata is to be found. At an unclean path
// nobody could find it: requests are cleaned.
func (a *API) metadataPaths() map[string]bool {
	u, ok := a.issuerURL()
	if !ok {
		return nil
	}
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	if base != "" && path.Clean(base) != base {
		return nil
	}
	return map[string]bool{base + openIDPath: true, serverPath + base: true}
}

func (a *API) metadataEndpoints(all map[string]byMethod) {
	for pattern := range a.metadataPaths() {
		all[pattern] = shared(a.metadata)
	}
}

// issuerMetadata says only what is so: there are no endpoints for authorization
// or tokens, and a member without a value is left out (RFC 8414 §3.2).
type issuerMetadata struct {
	Issuer            string   `json:"issuer"`
	JWKSURI           string   `json:"jwks_uri"`
	SubjectTypes      []string `json:"subject_types_supported"`
	SigningAlgorithms []string `json:"id_token_signing_alg_values_supported"`
	Claims            []string `json:"claims_supported"`
}

// metadata: what the issuer of our JWTs says of itself.
func (a *API) metadata(context.Context, *http.Request) (any, error) {
	u, _ := a.issuerURL()
	algorithms, err := a.algorithms()
	if err != nil {
		return nil, err
	}
	keys := url.URL{Scheme: u.Scheme, Host: u.Host, Path: jwksPath}
	text, err := strictjson.Marshal(issuerMetadata{
		Issuer: a.core.Issuer, JWKSURI: keys.String(), SubjectTypes: []string{"public"},
		SigningAlgorithms: algorithms, Claims: []string{"iss", "sub", "aud", "exp", "nbf", "iat"},
	})
	return document(text), err
}

// algorithms are those of the keys that are published now.
func (a *API) algorithms() ([]string, error) {
	var set struct {
		Keys []struct {
			Algorithm string `json:"alg"`
		} `json:"keys"`
	}
	if err := strictjson.Unmarshal(a.core.Ring.JWKS(), &set); err != nil {
		return nil, err
	}
	list := []string{}
	for _, k := range set.Keys {
		list = append(list, k.Algorithm)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
