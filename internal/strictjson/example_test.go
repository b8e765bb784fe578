package strictjson_test

import (
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func ExampleObject() {
	claims, err := strictjson.Object([]byte(`{"sub":"ada","quota":1.50}`))
	fmt.Println(claims["quota"], err)

	_, err = strictjson.Object([]byte(`{"sub":"ada","ſub":"admin"}`))
	fmt.Println(err)
	// Output:
	// 1.50 <nil>
	// strictjson: duplicate member name
}

func ExampleUnmarshalExact() {
	var request struct {
		Minutes int `json:"session_duration_minutes"`
	}
	err := strictjson.UnmarshalExact([]byte(`{"session_duration_minuts":60}`), &request)
	var unknown *strictjson.UnknownNameError
	fmt.Println(errors.As(err, &unknown), err)
	// Output: true strictjson: unknown member "session_duration_minuts"
}

func ExampleMarshal() {
	v, _ := strictjson.Parse([]byte(`{ "b": 1.0, "a": "<&>" }`))
	text, _ := strictjson.Marshal(v)
	fmt.Printf("%s\n", text)
	// Output: {"a":"<&>","b":1.0}
}
