// Package claims decides what goes into a session JWT beside the claims the
// gateway itself vouches for.
//
// There are two sources. An operator writes a template, a JSON object in which
// variables may stand where values may:
//
//	var policy claims.Policy           // which names are reserved
//	t, err := policy.ParseTemplate("default", `{"plan": {{ member.trusted_metadata.plan }}}`)
//
// A caller of the session API sends session_custom_claims, an RFC 7396 merge
// patch, which becomes an overlay that the session keeps:
//
//	o, err := policy.Patch(patch)      // refuses reserved names
//	kept, err := session.Overlay.Change(o, templates, variables)
//
// At every mint the template is rendered anew, so that a change of metadata
// reaches the next JWT of every session, and the overlay is applied to the
// result, so that what a caller has set or deleted stays so:
//
//	effective, err := policy.Effective(t, variables, kept)
//
// Before an overlay is stored, ask Effective as well: what it refuses must not be
// kept, or every later mint fails. Before metadata is stored, ask [Template.Check]
// the same of each template.
//
// # Why an overlay and not a patch
//
// Merge patches are not closed under composition. On {"b":{"a":"s"}} the patch
// {"b":"s"} followed by {"b":{}} ends in {"b":{}}; no single merge patch does
// that, for {"b":{}} alone leaves {"b":{"a":"s"}}. An [Overlay] is a tree that
// says of every member whether it is replaced, deleted or descended into, and
// for it the law
//
//	o.Then(q).Apply(s) == q.Apply(o.Apply(s))
//
// holds for every s.
//
// # Rules of values
//
// No member of a claim is ever null, at any depth: null deletes. Null elements
// of arrays are data and stay. Numbers keep their digits. Names of the gateway's
// own claims are reserved ([Policy.Reserved]). Effective claims, and what an
// overlay sets, are at most [MaxBytes] of compact JSON and nest at most [MaxDepth]
// deep.
//
// The package does no I/O, reads no clock and logs nothing. Templates and
// overlays never change after they are made and may be shared by goroutines.
package claims
