// Package record is how the packages above the store encode what they keep: one
// byte that names the format, then a JSON object.
//
// Gateways of two releases share one store while a fleet is upgraded, so two
// rules hold. A field that a release does not know survives its rewriting:
//
//	type session struct {
//		Member  string         `json:"member"`
//		Unknown map[string]any `json:",embed"`
//	}
//
// And a change that the older release would get wrong takes a new format number:
// what is newer than a reader knows is a [FormatError], a fault, and never read
// as if it were not there.
package record
