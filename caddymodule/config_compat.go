package caddymodule

// Compat makes the gateway speak another product's dialect.
type Compat struct {
	// The dialect. `stytch`: JWTs are signed with RS256, carry the project id as
	// their first audience, `stytch.com/<project id>` as issuer unless the app
	// sets one, and session and organization under https://stytch.com/ names, so
	// that the official Stytch SDKs verify them. It needs a project.
	Mode string `json:"mode"`

	// The id of the organization whose members the consumer endpoints
	// (/v1/sessions/…) call users. Default: these endpoints are not served.
	ConsumerOrganization string `json:"consumer_organization,omitempty"`
}

// compatStytch is the one value of Compat.Mode.
const compatStytch = "stytch"
