package record_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/store/record"
)

type person struct {
	Name    string         `json:"name"`
	Age     int            `json:"age,omitempty"`
	Unknown map[string]any `json:",embed"`
}

func TestRoundTrip(t *testing.T) {
	data, err := record.Encode(3, person{Name: "Ada", Age: 36})
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x03" + `{"name":"Ada","age":36}`; string(data) != want {
		t.Errorf("encoded %q, want %q", data, want)
	}
	var p person
	if err := record.Decode(data, 3, &p); err != nil || p.Name != "Ada" || p.Age != 36 {
		t.Errorf("decoded %+v, %v", p, err)
	}
	if f := record.Format(data); f != 3 {
		t.Errorf("format %d, want 3", f)
	}
}

// A release that does not know a member must not lose it, digit for digit.
func TestUnknownMembersSurviveARewrite(t *testing.T) {
	const written = "\x01" + `{"name":"Ada","deep":{"list":[1,{"x":null}]},"exact":12345678901234567890.10}`
	var p person
	if err := record.Decode([]byte(written), 1, &p); err != nil {
		t.Fatal(err)
	}
	p.Name = "Grace"
	data, err := record.Encode(1, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{`"deep":{"list":[1,{"x":null}]}`, `"exact":12345678901234567890.10`, `"name":"Grace"`} {
		if !strings.Contains(string(data), kept) {
			t.Errorf("%s is not in %s", kept, data)
		}
	}
}

func TestOlderFormatsAreRead(t *testing.T) {
	var p person
	if err := record.Decode([]byte("\x01"+`{"name":"Ada"}`), 7, &p); err != nil || p.Name != "Ada" {
		t.Errorf("decoded %+v, %v", p, err)
	}
}

func TestNewerFormatIsAFaultOfItsOwn(t *testing.T) {
	var p person
	err := record.Decode([]byte("\x09"+`{"name":"Ada"}`), 2, &p)
	var newer *record.FormatError
	if !errors.As(err, &newer) || newer.Found != 9 || newer.Newest != 2 {
		t.Fatalf("got %v", err)
	}
	if errors.Is(err, record.ErrMalformed) || p.Name != "" {
		t.Errorf("a newer record is %v and left %+v", err, p)
	}
}

func TestMalformed(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":        "",
		"format alone":   "\x01",
		"format zero":    "\x00{}",
		"array":          "\x01[]",
		"null":           "\x01null",
		"cut short":      "\x01" + `{"name":"secret-value`,
		"text after":     "\x01" + `{"name":"secret-value"} {}`,
		"duplicate name": "\x01" + `{"name":"secret-value","name":"b"}`,
		"wrong type":     "\x01" + `{"name":["secret-value"]}`,
		"bad UTF-8":      "\x01" + "{\"name\":\"secret-value\xff\"}",
		"space first":    "\x01" + ` {"name":"secret-value"}`,
	} {
		var p person
		err := record.Decode([]byte(data), 1, &p)
		if !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%s: %v, want %v", name, err, record.ErrMalformed)
		}
		if err != nil && strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%s: the error repeats the record: %v", name, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, encode := range map[string]func() ([]byte, error){
		"format zero": func() ([]byte, error) { return record.Encode(0, person{}) },
		"a list":      func() ([]byte, error) { return record.Encode(1, []int{1}) },
		"a channel":   func() ([]byte, error) { return record.Encode(1, map[string]any{"c": make(chan int)}) },
	} {
		if data, err := encode(); err == nil {
			t.Errorf("%s is encoded as %q", name, data)
		}
	}
}

// FuzzDecode: no bytes make it panic, and what it reads it writes back so that
// it reads the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x01" + `{"name":"Ada","more":{"a":[1.0,true,null]}}`))
	f.Add([]byte("\x01{}"))
	f.Add([]byte("\x02{}"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var p person
		if record.Decode(data, 1, &p) != nil {
			return
		}
		again, err := record.Encode(1, p)
		if errors.Is(err, strictjson.ErrDuplicateName) {
			return // an unknown member whose name folds to one of ours is not written
		}
		if err != nil {
			t.Fatalf("read %q, cannot write it: %v", data, err)
		}
		var q person
		if err := record.Decode(again, 1, &q); err != nil || fmt.Sprint(p) != fmt.Sprint(q) {
			t.Fatalf("%v became %v, %v", p, q, err)
		}
	})
}

func ExampleDecode() {
	type session struct {
		Member  string         `json:"member"`
		Unknown map[string]any `json:",embed"`
	}
	data, _ := record.Encode(1, session{Member: "ada"})

	var s session
	fmt.Println(record.Decode(data, 1, &s), s.Member)

	data[0] = 2 // as a later release would write it
	fmt.Println(record.Decode(data, 1, &s))
	// Output:
	// <nil> ada
	// record: format 2 is newer than 1, the newest this release reads; upgrade it
}
