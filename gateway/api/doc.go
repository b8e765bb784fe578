// Package api is the door for calls of the session API: the wire format of Stytch's
// B2B API, so that its SDKs work with only their base URL changed. An endpoint
// decodes a body, asks the core, and writes the answer; a refused call has changed
// nothing.
package api
