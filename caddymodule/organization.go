package caddymodule

import (
	"encoding/json"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/directory"
)

// Organization is an organization that exists by configuration.
type Organization struct {
	// What people call it, 1 to 128 characters. Default: its id.
	Name string `json:"name,omitempty"`

	// What tokens and API callers call it: 1 to 128 of A–Z a–z 0–9 . _ : @ | -
	// Default: none.
	ExternalID string `json:"external_id,omitempty"`

	// The short name in its members' JWTs: 2 to 128 of A–Z a–z 0–9 . _ ~ -
	// Default: its id.
	Slug string `json:"slug,omitempty"`

	// Its trusted metadata: a JSON object of at most 20 members and 4096 bytes.
	// Default: none.
	Metadata json.RawMessage `json:"metadata,omitempty"`

	// The profiles whose tokens may reach it. Default: none.
	Profiles []string `json:"profiles,omitempty"`

	// Do not become the organization that one of its profiles has already created
	// just in time under the external id. One that it has become it stays.
	// Default: false.
	NoAdoption bool `json:"no_adoption,omitempty"`
}

var organizationBlock = grammar.Block[Organization]{Name: "organization", Lines: []grammar.Line[Organization]{
	grammar.Text("name", "<text>", "what people call it; default its id",
		func(o *Organization) *string { return &o.Name }),
	grammar.Text("external_id", "<text>", "what tokens and callers call it",
		func(o *Organization) *string { return &o.ExternalID }),
	grammar.Text("slug", "<text>", "what its members' JWTs call it; default its id",
		func(o *Organization) *string { return &o.Slug }),
	grammar.Custom("metadata", "<json>", "its trusted metadata, an object", readMetadata),
	grammar.Texts("profiles", "<name>...", "whose tokens may reach it; default none",
		func(o *Organization) *[]string { return &o.Profiles }),
	grammar.Custom("adopt", "off", "do not become the organization that one of its profiles has created under the external id", readAdopt),
}}

// readAdopt reads `adopt off`.
func readAdopt(r *grammar.Reader, o *Organization) error {
	if o.NoAdoption {
		return r.Again()
	}
	o.NoAdoption = true
	var word string
	return r.Choice(&word, "off")
}

// readMetadata reads `metadata <json>`; what is no JSON at all is refused here,
// because it could not be carried further.
func readMetadata(r *grammar.Reader, o *Organization) error {
	if o.Metadata != nil {
		return r.Again()
	}
	text, err := r.Word()
	if err != nil {
		return err
	}
	o.Metadata = json.RawMessage(text)
	if _, err := directory.ParseMetadata(o.Metadata); err != nil {
		return r.Errf("%s: %w", r.Path, err)
	}
	return nil
}
