package caddymodule

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// unmapped are the fields that are no option of a core package.
var unmapped = map[string]string{
	".Source":                 "for errors",
	".StoreRaw":               "a module of its own: RedisStore, BoltStore",
	".Compat.Mode":            "it has one value",
	".UnsafePaths":            "it has one value",
	".Preflight":              "it has one value",
	".ForwardJWT.Typ":         "it has two values: TestCaddyAccessToken",
	".Route.ForwardJWT.Typ":   "likewise",
	".Route.Source":           "for errors",
	".Route.UnsafePaths":      "it has one value",
	".Route.Preflight":        "it is refused",
	".Profiles.x.Source":      "for errors",
	".Profiles.x.Preset.Name": "a name that there is: TestPresets",
	".Profiles.x.Preset.Args": "likewise",
	".Templates.x.Source":     "for errors",
}

// TestEveryFieldArrives: each field of the configuration changes what the core packages
// are given, if it is set in an empty configuration or changed in a full one.
func TestEveryFieldArrives(t *testing.T) {
	for name, root := range map[string]struct {
		empty func() any
		core  func(any) []any
	}{
		"app": {func() any { return new(App) }, func(v any) []any { return appInCore(v.(*App)) }},
		"attest": {
			func() any { return new(Attest) },
			func(v any) []any { return []any{v.(*Attest).gatewayRoute()} },
		},
		"attest_api": {
			func() any { return new(API) },
			func(v any) []any { return []any{v.(*API).gatewayServe(), v.(*API).Health} },
		},
		"attest_verify": {
			func() any { return new(Verify) },
			func(v any) []any {
				h := v.(*Verify)
				return []any{h.Route.gatewayRoute(), h.For, h.Hosts}
			},
		},
		"attest_desk": {
			func() any { return new(Desk) },
			func(v any) []any { return []any{v.(*Desk).Write, v.(*Desk).Hosts} },
		},
		"redis": {
			func() any { return &RedisStore{Addresses: []string{"a:1"}} },
			func(v any) []any { c, err := v.(*RedisStore).config(); return []any{c, fmt.Sprint(err)} },
		},
		"bolt": {
			func() any { return new(BoltStore) },
			func(v any) []any { return []any{v.(*BoltStore).PoolKey()} },
		},
	} {
		paths := leaves(reflect.TypeOf(root.empty()), "")
		full := func() any {
			v := root.empty()
			for _, path := range paths {
				set(v, path, 1)
			}
			return v
		}
		for _, path := range paths {
			if unmapped[path] == "" && !arrives(path, root.core, root.empty) && !arrives(path, root.core, full) {
				t.Errorf("%s%s does not arrive", name, path)
			}
		}
	}
}

// arrives tells whether another value at the path changes what the core is given.
func arrives(path string, core func(any) []any, start func() any) bool {
	before, after := start(), start()
	leaf(before, path)
	set(after, path, 2)
	return !reflect.DeepEqual(core(before), core(after))
}

// appInCore is what an app says to the core packages. A file that is not there arrives
// as the error that names it.
func appInCore(a *App) []any {
	organizations, noOrganizations := a.organizations()
	policy, noPolicy := a.policy()
	templates, noTemplates := a.parseTemplates()
	ring, noRing := a.readRing()
	secrets, _ := a.configuredSecrets(context.Background(), nil)
	all := []any{
		a.gatewayConfig(), a.sessionConfig(), ring, secrets, organizations, policy, templates, a.SharedUpstreams, a.Tests,
		fmt.Sprint(noOrganizations, noPolicy, noTemplates, noRing),
	}
	for name, p := range sorted(a.Profiles) {
		_, noKeys := new(trusted).keys(name, p, nil, passingDevKeys)
		all = append(all, p.trusted(name), fmt.Sprint(noKeys))
		all = append(all, remoteInCore(Profile{JWKSURL: p.JWKSURL, StaleKeys: p.StaleKeys})...)
		all = append(all, remoteInCore(Profile{Discover: p.Discover, StaleKeys: p.StaleKeys})...)
		if i := p.Introspect; i != nil {
			all = append(all, remoteInCore(Profile{JWKSURL: &i.JWKSURL})...)
			all = append(all, i.ClientID, i.ClientSecret, i.introspection().Cache)
		}
	}
	return all
}

func remoteInCore(p Profile) (all []any) {
	if p.keysURL() == nil {
		return nil
	}
	remote, noFile := p.remote()
	if remote.Bearer != nil {
		_, noBearer := remote.Bearer()
		all = append(all, noBearer.Error())
	}
	remote.Bearer = nil // functions are never equal
	return append(all, remote, fmt.Sprint(noFile))
}

// leaves are the paths of all options of a type: names joined by dots, x for the one
// entry of a map or list of blocks.
func leaves(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		return leaves(t.Elem(), path)
	case isBlocks(t):
		return leaves(t.Elem(), path+".x")
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var all []string
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("json") != "" {
			all = append(all, leaves(field.Type, path+"."+field.Name)...)
		}
	}
	return all
}

// isBlocks tells a list or a map of blocks from one of texts.
func isBlocks(t reflect.Type) bool {
	if t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		return false
	}
	t = t.Elem()
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer
}

// leaf is the option at a path, with the blocks around it made where they are missing.
func leaf(root any, path string) reflect.Value {
	v := reflect.ValueOf(root)
	for _, name := range strings.Split(path, ".")[1:] {
		v = block(v)
		switch v.Kind() {
		case reflect.Map:
			if v.Len() == 0 {
				v.Set(reflect.MakeMap(v.Type()))
				v.SetMapIndex(reflect.ValueOf(name), reflect.New(v.Type().Elem().Elem()))
			}
			v = v.MapIndex(reflect.ValueOf(name))
		case reflect.Slice:
			if v.Len() == 0 {
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			}
			v = v.Index(0)
		default:
			v = v.FieldByName(name)
		}
	}
	return v
}

// block is the block behind a pointer.
func block(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

// set gives the option at a path its nth value.
func set(root any, path string, n int) {
	v, text := leaf(root, path), map[int]string{1: "x", 2: "sessions"}[n]
	if path == ".Templates.x.Text" {
		text = `{"` + text + `":1}`
	}
	v.Set(sample(v.Type(), text, n))
}

// sample is a value of the type, of the text or the number; a flag is set for 1 only.
func sample(t reflect.Type, text string, n int) reflect.Value {
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return reflect.ValueOf(json.RawMessage(`{"` + text + `":1}`))
	case reflect.TypeFor[[]string]():
		return reflect.ValueOf([]string{text})
	case reflect.TypeFor[map[string]string]():
		return reflect.ValueOf(map[string]string{text: text})
	case reflect.TypeFor[map[string][]string]():
		return reflect.ValueOf(map[string][]string{text: {text}})
	case reflect.TypeFor[*caddy.Duration]():
		d := caddy.Duration(n)
		return reflect.ValueOf(&d)
	}
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(n == 1)
	default:
		v.SetInt(int64(n))
	}
	return v
}
