// Package strictjson reads JSON that comes from outside (token headers and
// claims, request bodies, key sets, stored records) and writes JSON that it would
// read again.
//
// It is deliberately narrower than encoding/json, because every leniency there
// is a way to make two readers disagree about one document:
//
//   - a name stands at most once in an object, and no two names of an object
//     fold to one under Unicode case folding ("sub" and "ſub", RFC 8725 §2.6);
//   - text is valid UTF-8, without unpaired surrogates;
//   - nothing but white space follows the value;
//   - nesting and the number of values are bounded, before anything is allocated
//     for them;
//   - numbers keep their digits: they are json.Number, never float64;
//   - names are matched byte for byte.
//
// What it accepts, encoding/json reads as the same value.
//
// # Which function
//
// For a value of unknown shape, [Parse]; where it must be an object, [Object];
// where it must nest less deep than [MaxDepth], [ParseDepth]:
//
//	claims, err := strictjson.Object(payload)
//
// For a struct, [Unmarshal], which passes over members it does not name, as is
// right for tokens and key sets of others; and [UnmarshalExact], which refuses
// them, as is right for requests, where a misspelt option must not be ignored:
//
//	err := strictjson.UnmarshalExact(body, &request)
//
// [Marshal] writes either. The size of the input is the caller's to bound: all of
// them work on bytes already in memory. A text of 1 MiB makes them allocate 20 MB
// at most.
//
// # Errors
//
// An error says where the text is wrong and may name a member, but never quotes
// a value: the text may be a token or hold a secret. [ErrDepth],
// [ErrDuplicateName], [ErrNotObject], *[TypeError] and *[UnknownNameError] can be
// told apart; everything else is broken JSON.
//
// # What stands below
//
// The grammar is read by github.com/go-json-experiment/json, which is what
// becomes encoding/json/v2.
package strictjson
