package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// Bounds of an expression: of its text in bytes, and of what one evaluation may cost, in
// CEL's units (a comparison is one, a text of n bytes that is looked through n/10).
const (
	maxExpression     = 4096
	maxExpressionCost = 20_000
)

// An expression is written in CEL over the variable claims. It is compiled once, and safe
// for concurrent use.
type expression struct {
	text    string
	program cel.Program
}

// compileExpression refuses an expression that does not have the type; a value that is
// known at run time only is of any, but no condition.
func compileExpression(text string, condition bool) (*expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("has more than %d bytes", maxExpression)
	}
	env, err := cel.NewEnv(
		cel.Variable("claims", cel.MapType(cel.StringType, cel.DynType)),
		cel.CustomTypeAdapter(claimAdapter{}), ext.Strings(), ext.Sets(),
	)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	if condition && !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, errors.New("is not true or false; compare a claim with what it must be, as in claims.admin == true")
	}
	program, err := env.Program(ast, cel.CostLimit(maxExpressionCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &expression{text, program}, nil
}

var errNoValue = errors.New("the expression has no value for this token")

// holds evaluates a condition.
func (e *expression) holds(claims map[string]any) (bool, error) {
	v, err := e.value(claims)
	if err != nil {
		return false, err
	}
	yes, ok := v.(bool)
	if !ok {
		return false, errNoValue
	}
	return yes, nil
}

// value evaluates, and answers a value as the reader of claims makes them. The error
// quotes nothing of the token.
func (e *expression) value(claims map[string]any) (any, error) {
	v, _, err := e.program.Eval(map[string]any{"claims": claims})
	if err != nil {
		return nil, errNoValue
	}
	return claimOf(v)
}

// claimAdapter makes CEL values of claims: whole numbers stay exact, and those that no 64
// bits hold are an error.
type claimAdapter struct{}

func (a claimAdapter) NativeToValue(v any) ref.Val {
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
	if !isInteger(text) {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) {
			return types.NewErr("a number is out of range")
		}
		return types.Double(f)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(n)
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(n)
	}
	return types.NewErr("an integer is out of range")
}

// claimOf is numberValue and its like, the other way.
func claimOf(v ref.Val) (any, error) {
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
		native, err := v.ConvertToNative(reflect.TypeFor[map[string]any]())
		if object, ok := native.(map[string]any); ok && err == nil {
			return objectOf(v, object)
		}
	}
	return nil, errNoValue
}

func listOf(list traits.Lister) (any, error) {
	out := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		element, err := claimOf(it.Next())
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
		value, err := claimOf(m.Get(types.String(name)))
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}
