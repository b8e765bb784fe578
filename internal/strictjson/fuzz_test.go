package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func seed(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.text))
	}
	for _, c := range refused {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
}

// FuzzDifferential holds the decoder against encoding/json: what we accept, it
// reads as the same value; what only it accepts, we refuse for one of the reasons
// in the package documentation.
func FuzzDifferential(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, err := strictjson.Parse(data)
		theirs, lenient := parseLenient(data)
		switch {
		case err == nil && lenient != nil:
			t.Fatalf("only we accept it; encoding/json: %v", lenient)
		case err == nil:
			if !reflect.DeepEqual(theirs, ours) {
				t.Fatalf("%v is not %v", theirs, ours)
			}
			if hasDuplicates(data) {
				t.Fatal("a duplicate name was accepted")
			}
		case lenient == nil && !refusalIsOurs(data, err):
			t.Fatalf("refused without one of our reasons: %v", err)
		}
	})
}

// refusalIsOurs tells whether a text that encoding/json accepts breaks a rule
// that we add.
func refusalIsOurs(data []byte, err error) bool {
	switch {
	case errors.Is(err, strictjson.ErrDepth):
		return bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > strictjson.MaxDepth
	case errors.Is(err, strictjson.ErrDuplicateName):
		return hasDuplicates(data)
	}
	surrogate := strings.Contains(strings.ToLower(string(data)), `\ud`)
	return !utf8.Valid(data) || surrogate
}

func parseLenient(data []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// hasDuplicates looks for two names of one object that strings.EqualFold takes
// for one. It is a second, naive reading of the rule.
func hasDuplicates(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return duplicatesIn(dec)
}

func duplicatesIn(dec *json.Decoder) bool {
	tok, _ := dec.Token()
	var names []string
	for tok == json.Delim('[') || tok == json.Delim('{') {
		if !dec.More() {
			_, _ = dec.Token()
			return false
		}
		if tok == json.Delim('{') {
			name, _ := dec.Token()
			names = append(names, name.(string))
		}
		if duplicatesIn(dec) {
			return true
		}
		if last := len(names) - 1; last >= 0 && slices.ContainsFunc(names[:last], func(s string) bool {
			return strings.EqualFold(s, names[last])
		}) {
			return true
		}
	}
	return false
}

// FuzzUnmarshal: the two readers, one that builds and one that only checks, agree
// on every text and on what it means.
func FuzzUnmarshal(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := strictjson.Parse(data)
		var got any
		gotErr := strictjson.Unmarshal(data, &got)
		if (wantErr == nil) != (gotErr == nil) || wantErr != nil && wantErr.Error() != gotErr.Error() {
			t.Fatalf("Parse: %v; Unmarshal: %v", wantErr, gotErr)
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%v is not %v", want, got)
		}
	})
}

// FuzzMarshal: what is read can be written and read again as the same value, and
// writing is canonical, also where the value stands in a struct.
func FuzzMarshal(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := strictjson.Parse(data)
		if err != nil {
			return
		}
		text, err := strictjson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := strictjson.Parse(text)
		if err != nil {
			t.Fatalf("wrote %s: %v", text, err)
		}
		if !reflect.DeepEqual(v, back) {
			t.Errorf("%v is not %v", v, back)
		}
		again, err := strictjson.Marshal(back)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s was written again as %s (%v)", text, again, err)
		}
		within, err := strictjson.Marshal(struct{ V any }{v})
		if wrapped := `{"V":` + string(text) + `}`; err == nil && string(within) != wrapped {
			t.Errorf("%s was written in a struct as %s", wrapped, within)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "01", "1.5e+03", "1.", ".5", "1e", "NaN", "1,2", " 1", "1 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := json.Valid([]byte(s)) && s == strings.Trim(s, " \t\r\n") && strings.Trim(s[:1], "-0123456789") == ""
		if got := strictjson.IsNumber(s); got != want {
			t.Errorf("IsNumber(%q) = %v, encoding/json says %v", s, got, want)
		}
	})
}
