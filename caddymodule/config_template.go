package caddymodule

// Template is a claim template: a JSON object in which {{ variables }} stand for
// values. Caddy's placeholders are never replaced in it.
type Template struct {
	// The template itself. Either this or a file.
	Text string `json:"text,omitempty"`

	// The file that holds the template.
	File string `json:"file,omitempty"`
}

// defaultTemplate is the name of the template of routes that name none.
const defaultTemplate = "default"
