package coverage

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// Parts are what a handler of any type is made of, as far as it matters here.
type parts struct {
	upstreams []string              // texts of the addresses it may dial
	routes    []caddyhttp.RouteList // routes it may run
	handlers  []any                 // handlers it may run
}

// partsOf looks for upstreams and routes in all that a handler was configured
// with, whatever its type: the field of an address is called Dial or Upstream, in
// every handler that is known.
func partsOf(handler any) parts {
	var p parts
	p.visit(reflect.ValueOf(handler), "", maxDepth)
	return p
}

// maxDepth bounds how deep a handler's own configuration is looked at.
const maxDepth = 12

func (p *parts) visit(v reflect.Value, tag reflect.StructTag, depth int) {
	if depth == 0 || !v.IsValid() || p.known(v, tag) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		p.visit(v.Elem(), tag, depth-1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			p.visit(v.Index(i), tag, depth-1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			p.visit(v.MapIndex(key), tag, depth-1)
		}
	case reflect.Struct:
		p.visitFields(v, depth)
	}
}

func (p *parts) visitFields(v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if isAddressField(field.Name) {
			p.addresses(v.Field(i))
		}
		if field.Tag.Get("json") != "-" {
			p.visit(v.Field(i), field.Tag, depth-1)
		} else {
			p.loaded(v.Field(i))
		}
	}
}

func isAddressField(name string) bool {
	return name == "Dial" || name == "Upstream" || name == "Upstreams"
}

// addresses takes the texts of a field that holds addresses.
func (p *parts) addresses(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			p.upstreams = append(p.upstreams, v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.String {
				p.addresses(v.Index(i))
			}
		}
	}
}

// known takes values of the types that are looked for. Values of other types are not
// copied: what a running handler counts in them changes meanwhile.
func (p *parts) known(v reflect.Value, tag reflect.StructTag) bool {
	switch v.Type() {
	case reflect.TypeFor[caddyhttp.RouteList]():
		p.routes = append(p.routes, v.Interface().(caddyhttp.RouteList))
	case reflect.TypeFor[caddyhttp.Route]():
		p.routes = append(p.routes, caddyhttp.RouteList{v.Interface().(caddyhttp.Route)})
	case reflect.TypeFor[json.RawMessage]():
		p.raw(v.Bytes(), tag)
	case reflect.TypeFor[reverseproxy.HealthChecks](): // sends nothing of a request
	default:
		return false
	}
	return true
}

// raw takes a guest that Caddy has not loaded yet.
func (p *parts) raw(text json.RawMessage, tag reflect.StructTag) {
	options := tag.Get("caddy")
	_, key, _ := strings.Cut(options, "inline_key=")
	switch {
	case len(text) == 0:
	case strings.Contains(options, "namespace=http.reverse_proxy.upstreams"):
		p.source(reflect.ValueOf(decodeModule("http.reverse_proxy.upstreams.", key, text)), string(text))
	case strings.Contains(options, "namespace=http.handlers"):
		p.handlers = append(p.handlers, decodeModule("http.handlers.", key, text))
	}
}

// loaded takes a guest that Caddy has loaded: it stands beside what it was loaded
// from.
func (p *parts) loaded(v reflect.Value) {
	switch guest := v.Interface().(type) {
	case reverseproxy.UpstreamSource:
		p.source(v, moduleName(guest))
	case caddyhttp.MiddlewareHandler:
		p.handlers = append(p.handlers, guest)
	case []caddyhttp.MiddlewareHandler:
		for _, h := range guest {
			p.handlers = append(p.handlers, h)
		}
	}
}

// source takes the text of a source of upstreams: the name it looks up and, where
// it has them, service, protocol and port. Fields of a loaded source are read
// whether they are exported or not.
func (p *parts) source(v reflect.Value, otherwise string) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		p.upstreams = append(p.upstreams, otherwise)
		return
	}
	if port, name := field(v, "Port"), field(v, "Name"); port != "" {
		p.upstreams = append(p.upstreams, name+":"+port)
		return
	}
	if name := field(v, "Name"); name != "" {
		p.upstreams = append(p.upstreams, "srv "+strings.Trim(field(v, "Service")+"."+field(v, "Proto")+"."+name, "."))
		return
	}
	before := len(p.upstreams)
	p.sources(v)
	if len(p.upstreams) == before {
		p.upstreams = append(p.upstreams, otherwise)
	}
}

// sources takes the sources that a source is made of.
func (p *parts) sources(v reflect.Value) {
	if raw := v.FieldByName("SourcesRaw"); raw.IsValid() && raw.Kind() == reflect.Slice {
		f, _ := v.Type().FieldByName("SourcesRaw")
		for i := range raw.Len() {
			p.raw(raw.Index(i).Bytes(), f.Tag)
		}
	}
	if loaded := v.FieldByName("sources"); loaded.IsValid() && loaded.Kind() == reflect.Slice {
		for i := range loaded.Len() {
			p.source(loaded.Index(i), loaded.Index(i).Elem().Type().String())
		}
	}
}

func field(v reflect.Value, name string) string {
	f := v.FieldByName(name)
	if !f.IsValid() || f.Kind() != reflect.String {
		return ""
	}
	return f.String()
}
