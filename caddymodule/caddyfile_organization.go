package caddymodule

import "encoding/json"

var organizationBlock = grammar[Organization]{name: "organization", words: []word[Organization]{
	{
		name: "name", args: "<text>",
		help: "what people call it; default its id",
		read: func(r *reader, o *Organization) error { return r.text(&o.Name) },
	},
	{
		name: "external_id", args: "<text>",
		help: "what tokens and callers call it",
		read: func(r *reader, o *Organization) error { return r.text(&o.ExternalID) },
	},
	{
		name: "slug", args: "<text>",
		help: "what its members' JWTs call it; default its id",
		read: func(r *reader, o *Organization) error { return r.text(&o.Slug) },
	},
	{
		name: "metadata", args: "<json>",
		help: "its trusted metadata, an object",
		read: readMetadata,
	},
	{
		name: "profiles", args: "<name>...",
		help: "whose tokens may reach it; default none",
		read: func(r *reader, o *Organization) error { return r.texts(&o.Profiles) },
	},
}}

// readMetadata reads `metadata <json>`; what is no JSON at all is refused here,
// because it could not be carried further.
func readMetadata(r *reader, o *Organization) error {
	if o.Metadata != nil {
		return r.again()
	}
	text, err := r.word()
	if err != nil {
		return err
	}
	o.Metadata = json.RawMessage(text)
	if err := checkMetadata(o.Metadata); err != nil {
		return r.Errf("%s: %w", r.path, err)
	}
	return nil
}
