// Package strictjson reads JSON that comes from outside: token headers and
// claims, request bodies, key sets, stored records.
//
// It is deliberately narrower than encoding/json, because every leniency there
// is a way to make two readers disagree about one document:
//
//   - a name stands at most once in an object, and no two names of an object
//     fold to one under Unicode case folding ("sub" and "ſub", RFC 8725 §2.6);
//   - text is valid UTF-8;
//   - nothing but white space follows the value;
//   - nesting is bounded, before anything is allocated for it;
//   - numbers keep their digits: they are json.Number, never float64;
//   - names are matched byte for byte.
//
// The grammar itself is read by github.com/go-json-experiment/json, which is
// what becomes encoding/json/v2.
package strictjson
