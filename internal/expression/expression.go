// Package expression is what a configuration computes or asks of claims: CEL
// (https://cel.dev) with the functions for texts and sets. Expressions are compiled once,
// bounded in size and in what an evaluation costs, and whole numbers are exact up to 64
// bits.
package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// Bounds of an expression: of its text in bytes, and of what one evaluation may cost, in
// CEL's units (a comparison is one, a text of n bytes that is looked through n/10).
const (
	maxText = 4096
	maxCost = 5_000
)

// An Expression is safe for concurrent use.
type Expression struct {
	text    string
	program cel.Program
}

// A Variable is what an expression may name.
type Variable = cel.EnvOption

// Object is a variable that is a JSON object.
func Object(name string) Variable {
	return cel.Variable(name, cel.MapType(cel.StringType, cel.DynType))
}

// List is a variable that is a JSON array.
func List(name string) Variable { return cel.Variable(name, cel.ListType(cel.DynType)) }

// Variables are the values that an expression reads, by their names: what package
// strictjson makes of JSON, and times.
type Variables = map[string]any

// Condition compiles an expression that is true or false, over these variables. The error
// is one line.
func Condition(text string, variables ...Variable) (*Expression, error) {
	return compile(text, true, variables)
}

// Value compiles an expression of any type.
func Value(text string, variables ...Variable) (*Expression, error) {
	return compile(text, false, variables)
}

func compile(text string, condition bool, variables []Variable) (*Expression, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("has more than %d bytes", maxText)
	}
	options := []Variable{cel.CustomTypeAdapter(adapter{}), ext.Strings(), ext.Sets()}
	env, err := cel.NewEnv(append(options, variables...)...)
	if err != nil {
		return nil, flatten(err)
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, flatten(err)
	}
	if condition && !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, errors.New("is not true or false; compare a claim with what it must be, as in claims.admin == true")
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, flatten(err)
	}
	return &Expression{text, program}, nil
}

// flatten puts a message of the compiler, which draws below the expression, on one line.
func flatten(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(strings.TrimPrefix(line, "ERROR: <input>:"))
}

// String is the expression as it was written.
func (e *Expression) String() string { return e.text }

var errNoValue = errors.New("the expression has no value here")

// Holds evaluates a condition. The error quotes nothing of what it reads.
func (e *Expression) Holds(v Variables) (bool, error) {
	value, err := e.Value(v)
	if err != nil {
		return false, err
	}
	yes, ok := value.(bool)
	if !ok {
		return false, errNoValue
	}
	return yes, nil
}

// Value evaluates, and answers a value as package strictjson makes them. The error quotes
// nothing of what it reads.
func (e *Expression) Value(v Variables) (any, error) {
	value, _, err := e.program.Eval(v)
	if err != nil {
		return nil, errNoValue
	}
	return native(value)
}

// adapter makes CEL values of JSON: whole numbers stay exact, and those that no 64
// bits hold are an error.
type adapter struct{}

func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case json.Number:
		return numberValue(string(v))
	case map[string]any:
		return types.NewStringInterfaceMap(a, v)
	case []any:
		return types.NewDynamicList(a, v)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

func numberValue(text string) ref.Val {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(n)
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || !strings.ContainsAny(text, ".eE") {
		return types.NewErr("a number is out of range")
	}
	return types.Double(f)
}

// native is numberValue and its like, the other way.
func native(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.String:
		return string(v), nil
	case types.Int:
		return json.Number(strconv.FormatInt(int64(v), 10)), nil
	case types.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10)), nil
	case types.Double:
		if f := float64(v); !math.IsInf(f, 0) && !math.IsNaN(f) {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
		}
	case traits.Lister:
		return listOf(v)
	case traits.Mapper:
		names, err := v.ConvertToNative(reflect.TypeFor[map[string]any]())
		if object, ok := names.(map[string]any); ok && err == nil {
			return objectOf(v, object)
		}
	}
	return nil, errNoValue
}

func listOf(list traits.Lister) (any, error) {
	out := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		element, err := native(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, element)
	}
	return out, nil
}

func objectOf(m traits.Mapper, names map[string]any) (any, error) {
	out := make(map[string]any, len(names))
	for name := range names {
		value, err := native(m.Get(types.String(name)))
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}
