package strictjson_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// D-02: a bomb of brackets is refused at the limit, not after it has been built.
func TestDepthIsRefusedBeforeAllocation(t *testing.T) {
	bombs := map[string][]byte{
		"arrays":           []byte(strings.Repeat("[", 8<<20)),
		"objects":          []byte(strings.Repeat(`{"a":`, 2<<20)),
		"closed arrays":    []byte(strings.Repeat("[", 4<<20) + strings.Repeat("]", 4<<20)),
		"after some value": []byte(`{"a":1,"b":` + strings.Repeat("[", 8<<20)),
	}
	for name, bomb := range bombs {
		for entry, read := range map[string]func([]byte) error{
			"Parse":     func(b []byte) error { return second(strictjson.Parse(b)) },
			"Unmarshal": func(b []byte) error { var v any; return strictjson.Unmarshal(b, &v) },
		} {
			t.Run(name+"/"+entry, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := read(bomb)
				runtime.ReadMemStats(&after)
				if err != strictjson.ErrDepth {
					t.Fatalf("got %v", err)
				}
				if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
					t.Errorf("%d bytes allocated for a text of %d", n, len(bomb))
				}
			})
		}
	}
}

// A body of nothing but names must not cost the square of their number: compared
// each with each, these would take seconds.
func TestManyNamesAreReadInTime(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"0":0`)
	for i := 1; i < strictjson.MaxValues-2; i++ {
		fmt.Fprintf(&text, `,"%d":0`, i)
	}
	object := []byte(text.String() + `}`)
	duplicate := []byte(text.String() + `,"0":1}`)
	start := time.Now()
	var v any
	if err := strictjson.Unmarshal(object, &v); err != nil {
		t.Error(err)
	}
	if err := strictjson.Unmarshal(duplicate, &v); err != strictjson.ErrDuplicateName {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// A check of plain names must not cost what building the value costs.
func TestNamesThatCannotFoldCostNothing(t *testing.T) {
	object := map[string]any{"sub": 1, "https://hasura.io/jwt/claims": 2, "x_y.z-1": 3}
	if n := testing.AllocsPerRun(100, func() { strictjson.FoldsTogether(object) }); n != 0 {
		t.Errorf("FoldsTogether: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { strictjson.Fold("https://hasura.io/jwt/claims") }); n != 0 {
		t.Errorf("Fold: %v allocations", n)
	}
}
