package claims

import (
	"testing"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func size(v any) int {
	var m measure
	m.value(v)
	return m.bytes
}

// FuzzSize: counting the bytes of a value gives what writing it gives.
func FuzzSize(f *testing.F) {
	f.Add(`{}`)
	f.Add(`[]`)
	f.Add(`{"a":[1.50,null,true,false,"x"],"\u0000\"\\\b\f\n\r\t\u001f\u007f/<&>\u2028é😀":{"":-0}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			t.Skip()
		}
		written, err := strictjson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if size(v) != len(written) {
			t.Errorf("size is %d, %s is %d bytes", size(v), written, len(written))
		}
	})
}

// Every character of the basic plane, and some beyond.
func TestSizeOfEveryRune(t *testing.T) {
	for r := rune(0); r <= 0x10010; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		written, err := strictjson.Marshal([]any{string(r)})
		if err != nil {
			t.Fatal(err)
		}
		if got := size([]any{string(r)}); got != len(written) {
			t.Fatalf("%U: size is %d, %s is %d bytes", r, got, written, len(written))
		}
	}
}
