package logformat

import (
	"encoding/json"
	"slices"

	"go.uber.org/zap/zapcore"
)

// object is an encoder of fields that writes no credential.
type object struct {
	zapcore.ObjectEncoder
	// headers tells that the fields are headers of a request or an answer.
	headers bool
}

// ofHeaders are the names of fields in which Caddy logs headers; in env, of FastCGI, their
// names are those of CGI (RFC 3875 §4.1.18).
var ofHeaders = []string{"headers", "resp_headers", "header", "request_headers", "response_headers", "env"}

// drops tells whether nothing of a field is to be written.
func (o object) drops(key string) bool { return o.headers && secretHeader(key) }

func (o object) text(key, value string) string {
	switch {
	case o.drops(key):
		return redacted
	case key == "uri" && !published():
		return withoutQuery(value)
	}
	return withoutTokens(value)
}

// AddString implements zapcore.ObjectEncoder.
func (o object) AddString(key, value string) { o.ObjectEncoder.AddString(key, o.text(key, value)) }

// AddByteString implements zapcore.ObjectEncoder.
func (o object) AddByteString(key string, value []byte) {
	o.ObjectEncoder.AddByteString(key, []byte(o.text(key, string(value))))
}

// AddBinary implements zapcore.ObjectEncoder.
func (o object) AddBinary(key string, value []byte) {
	o.ObjectEncoder.AddBinary(key, []byte(o.text(key, string(value))))
}

// AddObject implements zapcore.ObjectEncoder.
func (o object) AddObject(key string, value zapcore.ObjectMarshaler) error {
	if o.drops(key) {
		o.ObjectEncoder.AddString(key, redacted)
		return nil
	}
	return o.ObjectEncoder.AddObject(key, cleanObject{value, slices.Contains(ofHeaders, key)})
}

// AddArray implements zapcore.ObjectEncoder.
func (o object) AddArray(key string, value zapcore.ArrayMarshaler) error {
	return o.ObjectEncoder.AddArray(key, cleanArray{value, o.drops(key)})
}

// AddReflected implements zapcore.ObjectEncoder. What a value says of itself in JSON is
// cleaned; what says nothing is not written.
func (o object) AddReflected(key string, value any) error {
	clean, err := reflected(value, o.headers || slices.Contains(ofHeaders, key))
	if err != nil || o.drops(key) {
		o.ObjectEncoder.AddString(key, redacted)
		return nil
	}
	return o.ObjectEncoder.AddReflected(key, clean)
}

func reflected(value any, headers bool) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil, err
	}
	return cleanValue(plain, headers), nil
}

func cleanValue(value any, headers bool) any {
	switch v := value.(type) {
	case string:
		return withoutTokens(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i], false)
		}
	case map[string]any:
		for name, inner := range v {
			if headers && secretHeader(name) {
				v[name] = redacted
				continue
			}
			v[name] = cleanValue(inner, slices.Contains(ofHeaders, name))
		}
	}
	return value
}

// A cleanObject is marshaled without credentials.
type cleanObject struct {
	zapcore.ObjectMarshaler
	headers bool
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c cleanObject) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return c.ObjectMarshaler.MarshalLogObject(object{enc, c.headers})
}

// A cleanArray is marshaled without credentials, or with nothing.
type cleanArray struct {
	zapcore.ArrayMarshaler
	drop bool
}

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (c cleanArray) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	if c.drop {
		enc.AppendString(redacted)
		return nil
	}
	return c.ArrayMarshaler.MarshalLogArray(array{enc})
}

// array is an encoder of elements that writes no credential.
type array struct{ zapcore.ArrayEncoder }

// AppendString implements zapcore.PrimitiveArrayEncoder.
func (a array) AppendString(value string) { a.ArrayEncoder.AppendString(withoutTokens(value)) }

// AppendByteString implements zapcore.PrimitiveArrayEncoder.
func (a array) AppendByteString(value []byte) {
	a.ArrayEncoder.AppendByteString([]byte(withoutTokens(string(value))))
}

// AppendObject implements zapcore.ArrayEncoder.
func (a array) AppendObject(value zapcore.ObjectMarshaler) error {
	return a.ArrayEncoder.AppendObject(cleanObject{value, false})
}

// AppendArray implements zapcore.ArrayEncoder.
func (a array) AppendArray(value zapcore.ArrayMarshaler) error {
	return a.ArrayEncoder.AppendArray(cleanArray{value, false})
}

// AppendReflected implements zapcore.ArrayEncoder.
func (a array) AppendReflected(value any) error {
	clean, err := reflected(value, false)
	if err != nil {
		a.ArrayEncoder.AppendString(redacted)
		return nil
	}
	return a.ArrayEncoder.AppendReflected(clean)
}
