package strictjson_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// repeat fills size bytes with parts between the brackets; # becomes a number of
// its own in each.
func repeat(open, part, end string, size int) []byte {
	var b strings.Builder
	b.WriteString(open)
	for n := 0; b.Len()+len(part)+8 < size; n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(part, "#", base36(n)))
	}
	b.WriteString(end)
	return []byte(b.String())
}

func base36(n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	text := ""
	for {
		text += string(digits[n%36])
		if n /= 36; n == 0 {
			return text
		}
	}
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

var hostile = map[string][3]string{
	"empty objects":            {`{"v":[`, `{}`, `]}`},
	"objects of one member":    {`{"v":[`, `{"":0}`, `]}`},
	"objects of nine members":  {`{"v":[`, `{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`, `]}`},
	"empty arrays":             {`{"v":[`, `[]`, `]}`},
	"arrays of one":            {`{"v":[`, `[0]`, `]}`},
	"numbers":                  {`{"v":[`, `0`, `]}`},
	"texts":                    {`{"v":[`, `""`, `]}`},
	"names":                    {`{"v":{`, `"#":0`, `}}`},
	"names with escapes":       {`{"v":{`, `"\u0041#":0`, `}}`},
	"one long text of escapes": {`{"v":"`, `\u00e9`, `"}`},
	"nested":                   {`{"v":[`, strings.Repeat(`[`, 60) + strings.Repeat(`]`, 60), `]}`},
}

// What a client sends must not cost twenty times its size and more: 1 MiB of
// empty objects once allocated 60 MB.
func TestHostileJSONAllocatesLittle(t *testing.T) {
	const most = 20_000_000
	for name, parts := range hostile {
		for _, size := range []int{1 << 20, 220_000} {
			data := repeat(parts[0], parts[1], parts[2], size)
			for way, read := range map[string]func(){
				"Parse":  func() { _, _ = strictjson.Parse(data) },
				"Object": func() { _, _ = strictjson.Object(data) },
				"Unmarshal": func() {
					var v struct {
						V any `json:"v"`
					}
					_ = strictjson.Unmarshal(data, &v)
				},
				"Patch": func() {
					if o, err := strictjson.Object(data); err == nil {
						if patch, err := new(claims.Policy).Patch(o); err == nil {
							_ = patch.Check()
						}
					}
				},
			} {
				if got := allocated(read); got > most {
					t.Errorf("%s of %s, %d bytes: %d bytes allocated", way, name, size, got)
				}
			}
		}
	}
}

func TestMoreValuesThanAllowed(t *testing.T) {
	list := func(n int) []byte { return []byte("[" + strings.Repeat("0,", n-2) + "0]") }
	var v any
	if _, err := strictjson.Parse(list(strictjson.MaxValues)); err != nil {
		t.Errorf("as many as allowed: %v", err)
	}
	for name, err := range map[string]error{
		"Parse":     func() error { _, err := strictjson.Parse(list(strictjson.MaxValues + 1)); return err }(),
		"Unmarshal": strictjson.Unmarshal(list(strictjson.MaxValues+1), &v),
	} {
		if want := "strictjson: more than 32768 values"; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
