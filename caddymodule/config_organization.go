package caddymodule

import "encoding/json"

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
}
