package strictjson_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func TestSmoke(t *testing.T) {
	v, err := strictjson.Parse([]byte(`{"a":1.50,"b":[null,true,"x"],"c":{"d":12345678901234567890}}`))
	if err != nil {
		t.Fatal(err)
	}
	out, err := strictjson.Marshal(v)
	t.Log(string(out), err)
	for _, bad := range []string{`{"a":1,"a":2}`, `{"sub":1,"ſub":2}`, `{} x`, `{`, "\"\xff\"", `{"A":1,"a":2}`} {
		_, err := strictjson.Parse([]byte(bad))
		if err == nil {
			t.Errorf("%s accepted", bad)
		}
		t.Log(bad, err)
	}
	var s struct {
		A    any            `json:"a"`
		B    string         `json:"b,omitempty"`
		Rest map[string]any `json:",embed"`
	}
	t.Log(strictjson.Unmarshal([]byte(`{"a":{"n":1.0},"z":2.0}`), &s), s)
	out, err = strictjson.Marshal(s)
	t.Log(string(out), err)
	t.Log(strictjson.Unmarshal([]byte(`{"b":7}`), &s))
	var e struct {
		A int `json:"a"`
	}
	t.Log(strictjson.UnmarshalExact([]byte(`{"b":7}`), &e))
}
