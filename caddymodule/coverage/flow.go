package coverage

import (
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// A place is a point of a server that requests can come to.
type place struct {
	cond    formula
	words   []string // listener and matchers on the way, as an error names them
	invoked []string // named routes on the way
}

// under is the place behind one more condition.
func (p place) under(c condition) place {
	p.cond = allOf(p.cond, c.formula)
	if c.text != "" {
		p.words = append(slices.Clip(p.words), c.text)
	}
	return p
}

// A guard is an attest on the way.
type guard struct {
	place
	admits bool   // it is no `attest off`
	maybe  bool   // it stands in routes whose error is handled here: it may not have been reached
	source string // file:line, where known
	by     Guard
}

// An end is a handler that answers, or a terminal route: where the condition
// holds, nothing after it is reached.
type end struct {
	cond     formula
	upstream string // that answers
}

// A change is made by a handler behind which matchers see another request.
type change struct {
	cond  formula
	kinds []string // of the matchers
	given []string // those of the kinds that see what is configured, and not what a client sent
	era   int      // that begins with it
}

// A trail is what requests can meet without being answered.
type trail struct {
	guards  []guard
	changes []change
}

// and is the trail with more at its end.
func (t trail) and(more trail) trail {
	return trail{slices.Concat(t.guards, more.guards), slices.Concat(t.changes, more.changes)}
}

// since is what came to the trail after it was as before.
func (t trail) since(before trail) trail {
	return trail{t.guards[len(before.guards):], t.changes[len(before.changes):]}
}

// A flow is what a request has met so far, under which conditions.
type flow struct {
	trail
	gone   trail // through terminal routes before: only errors come from there
	ends   []end
	caches []place
	groups map[string]formula // of each group of routes, when one was taken
}

// fork is the flow of requests that part here.
func (f *flow) fork() *flow {
	return &flow{
		trail: f.trail.and(trail{}), gone: f.gone, ends: slices.Clip(f.ends), caches: slices.Clip(f.caches),
		groups: maps.Clone(f.groups),
	}
}

// failed is the flow of requests that failed on their way from before to here. What
// stood on that way was reached or not, and answered nothing.
func (f *flow) failed(before *flow) *flow {
	g := before.fork()
	met := f.since(before.trail).and(f.gone.since(before.gone))
	for i := range met.guards {
		met.guards[i].maybe = true
	}
	g.trail = g.and(met)
	return g
}

// A walker follows requests through routes.
type walker struct {
	reader
	routes map[string]*caddyhttp.Route // named ones
	eras   int                         // that have begun
	report *report
}

// server follows the requests to one server.
func (w *walker) server(at place, s *caddyhttp.Server) {
	w.routes = s.NamedRoutes
	start := &flow{groups: make(map[string]formula)}
	f := start.fork()
	w.list(s.Routes, f, at)
	if s.Errors != nil {
		w.list(s.Errors.Routes, f.failed(start), at.under(condition{formula: always, text: "handle_errors"}))
	}
}

// list follows requests through routes that run one after the other.
func (w *walker) list(routes caddyhttp.RouteList, f *flow, at place) {
	for i := range routes {
		w.route(&routes[i], f, at)
	}
}

func (w *walker) route(route *caddyhttp.Route, f *flow, at place) {
	w.era = func(kind string) int { return w.report.era(kind, f, at) }
	c := w.routeCondition(route)
	if route.Group != "" {
		c = f.first(route.Group, at, c)
	}
	inner, own := at.under(c), f
	if route.Terminal {
		own = f.fork()
		own.ends = w.report.meeting(inner.cond, f.ends)
	}
	for _, handler := range w.handlers(route) {
		w.handler(handler, own, inner)
	}
	if route.Terminal {
		f.terminate(own, inner.cond)
	}
}

// terminate ends the requests for which the condition holds. What stood on their own
// way is not on the way of any other.
func (f *flow) terminate(own *flow, cond formula) {
	f.gone = own.gone.and(own.since(f.trail))
	f.groups = own.groups
	f.ends = append(f.ends, end{cond: cond})
}

// first is the condition that a route is the first of its group that matches.
func (f *flow) first(group string, at place, c condition) condition {
	taken, ok := f.groups[group]
	here := allOf(at.cond, c.formula)
	if !ok {
		f.groups[group] = here
		return c
	}
	f.groups[group] = anyOf(taken, here)
	if c.text == "" {
		c.text = "otherwise"
	}
	c.formula = allOf(c.formula, not(taken))
	return c
}

// handler follows requests through one handler.
func (w *walker) handler(handler any, f *flow, at place) {
	switch h := handler.(type) {
	case nil:
	case Guard:
		w.guard(h, f, at)
	case *caddyhttp.Subroute:
		w.subroute(h, f, at)
	case *caddyhttp.Invoke:
		w.invoke(h.Name, f, at)
	default:
		w.other(h, f, at)
	}
}

func (w *walker) guard(h Guard, f *flow, at place) {
	admits, source := h.Guards()
	g := guard{place: at, admits: admits, source: source, by: h}
	if admits {
		w.report.guard(g, f)
	}
	f.guards = append(f.guards, g)
}

// subroute follows requests through a subroute and, where it has such, the routes
// that handle its errors.
func (w *walker) subroute(h *caddyhttp.Subroute, f *flow, at place) {
	before := f.fork()
	w.list(h.Routes, f, at)
	if h.Errors != nil {
		w.list(h.Errors.Routes, f.failed(before), at.under(condition{formula: always, text: "handle_errors"}))
	}
}

// invoke follows requests through a named route.
func (w *walker) invoke(name string, f *flow, at place) {
	route := w.routes[name]
	if route == nil || slices.Contains(at.invoked, name) {
		return
	}
	at.invoked = append(slices.Clip(at.invoked), name)
	w.route(route, f, at)
}

// other follows requests through a handler that is known by its parts only.
func (w *walker) other(h any, f *flow, at place) {
	name, p := moduleName(h), partsOf(h)
	w.report.meets(name)
	if name == "cache" {
		f.caches = append(f.caches, at)
	}
	for _, text := range p.upstreams {
		w.report.upstream(text, f, at)
	}
	for _, routes := range p.routes {
		inner := f.fork()
		w.list(routes, inner, at)
		f.changes = inner.changes
	}
	inner := f.fork()
	for _, guest := range p.handlers {
		w.handler(guest, inner, at)
	}
	f.changes = inner.changes
	if answers(name, h, p) {
		f.ends = append(f.ends, end{cond: at.cond, upstream: firstOf(p.upstreams)})
	}
	if kinds := changes(name); len(kinds) > 0 {
		w.eras++
		f.changes = append(f.changes, change{at.cond, kinds, given(h), w.eras})
	}
}

// answers tells the handlers that never call the next one. A reverse_proxy with
// routes for responses, such as forward_auth, does, and so do early hints.
func answers(name string, h any, p parts) bool {
	switch name {
	case "static_response":
		return !mayHint(h)
	case "error":
		return true
	case "reverse_proxy":
		return len(p.routes) == 0
	case "file_server":
		return !passesThrough(h)
	}
	return false
}

// mayHint tells a static response that is, or may be, no final one (RFC 8297).
func mayHint(h any) bool {
	r, ok := h.(*caddyhttp.StaticResponse)
	return ok && (r.StatusCode == "103" || strings.Contains(string(r.StatusCode), "{"))
}

// changes are the kinds of matchers that see another request after the handler.
func changes(name string) []string {
	switch name {
	case "rewrite":
		return []string{kindPath, kindMethod, "query", anything}
	case "headers":
		return []string{"header", anything}
	case "vars", "map":
		return []string{anything}
	}
	return nil
}

// given are the kinds of matchers that see, after the handler, what it is configured
// to write. A changed path is still the client's choice, as behind a stripped prefix.
func given(h any) []string {
	r, ok := h.(*rewrite.Rewrite)
	if !ok || r.URI+r.Method == "" {
		return nil
	}
	kinds := []string{anything}
	if r.Method != "" {
		kinds = append(kinds, kindMethod)
	}
	path, _, query := strings.Cut(r.URI, "?")
	if path != "" {
		kinds = append(kinds, kindPath)
	}
	if query {
		kinds = append(kinds, "query")
	}
	return kinds
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}
