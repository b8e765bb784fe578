package claims_test

import (
	"encoding/json"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
)

// policy is the one that reserves all our names.
var policy claims.Policy

// Few names and few values, so that what one object says of a member another
// one says too.
var (
	names   = rapid.SampledFrom([]string{"a", "b", "c", "", "é\"\n", "x.y"})
	scalars = rapid.SampledFrom([]any{
		nil, true, false, "", "s", "\u0001<\\😀\u2028", json.Number("0"), json.Number("1.50"), json.Number("-1E+400"),
	})
)

func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(
		scalars,
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(l []any) any { return l }),
		rapid.Map(objects(depth-1), func(o claims.Object) any { return o }),
		rapid.Map(objects(depth-1), func(o claims.Object) any { return o }),
	)
}

func objects(depth int) *rapid.Generator[claims.Object] {
	return rapid.MapOfN(names, values(depth), 0, 4)
}

// overlays are those that some patches one after another make.
func overlays() *rapid.Generator[claims.Overlay] {
	return rapid.Custom(func(t *rapid.T) claims.Overlay {
		var o claims.Overlay
		for _, p := range rapid.SliceOfN(objects(3), 0, 3).Draw(t, "patches") {
			o = o.Then(patch(t, p))
		}
		return o
	})
}

type fatal interface{ Fatal(...any) }

func patch(t fatal, p claims.Object) claims.Overlay {
	o, err := policy.Patch(p)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
