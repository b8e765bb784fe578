package caddymodule

import (
	"reflect"
	"slices"

	"github.com/attestgate/caddy-attest/gateway/admin"
)

// adminRoutes are the places where requests are admitted, with the upstreams behind
// them, the ways to upstreams on which nobody is admitted, and the attests that no way
// leads through.
func (a *App) adminRoutes() []admin.Route {
	var list routeList
	var met []admin.Route
	for _, way := range a.ways {
		r := admin.Route{Profiles: []string{}, Anonymous: true, Off: true}
		if h, ok := way.Guard.(*Attest); ok {
			r = h.adminRoute(a)
			met = append(met, r)
		}
		list.add(r, way.Place, way.Upstream)
	}
	for _, h := range a.handlers {
		if r := h.adminRoute(a); !slices.ContainsFunc(met, func(m admin.Route) bool { return reflect.DeepEqual(m, r) }) {
			list = append(list, r)
		}
	}
	return list
}

type routeList []admin.Route

// add puts the upstream to the others that are reached in the same way from the same
// place: two sites that import one attest are two routes, each with its own upstreams.
func (l *routeList) add(r admin.Route, place, upstream string) {
	r.Sites, r.Upstreams = []string{place}, []string{upstream}
	i := slices.IndexFunc(*l, func(known admin.Route) bool {
		known.Upstreams = r.Upstreams
		return reflect.DeepEqual(known, r)
	})
	switch {
	case i < 0:
		*l = append(*l, r)
	case !slices.Contains((*l)[i].Upstreams, upstream):
		(*l)[i].Upstreams = append((*l)[i].Upstreams, upstream)
	}
}

func (h *Attest) adminRoute(a *App) admin.Route {
	r := admin.Route{
		Source: h.Source, Profiles: h.Profiles, Off: h.Off || h.Observe, Observe: h.Observe,
		Anonymous: h.Off || h.Observe || h.Optional, Audience: h.Audiences, Template: h.Template,
	}
	if len(r.Profiles) == 0 {
		r.Profiles = []string{}
		if !h.Off {
			r.Profiles = keys(a.Profiles)
		}
	}
	for _, q := range h.Require {
		r.Require = append(r.Require, q.requirement().String())
	}
	if !h.Off && !h.Observe {
		r.Header = h.gatewayRoute().Forward.WithDefaults().Header
		if len(r.Audience) == 0 {
			r.Audience = []string{a.issuer()}
		}
	}
	return r
}

// strictPaths has a route judge paths strictly if an attest that admits otherwise leads to
// the same upstream: a path that is sent to the one could be served as one of the other. What
// another proxy leads to is not seen here.
func (a *App) strictPaths() {
	type guarded struct {
		admin.Route
		upstream string
	}
	var ways []guarded
	for _, way := range a.ways {
		if h, ok := way.Guard.(*Attest); ok {
			ways = append(ways, guarded{h.adminRoute(a), way.Upstream})
		}
	}
	for _, h := range a.handlers {
		own, upstreams := h.adminRoute(a), map[string]bool{}
		for _, way := range ways {
			if reflect.DeepEqual(way.Route, own) {
				upstreams[way.upstream] = true
			}
		}
		h.route.StrictPaths = h.elsewhere || slices.ContainsFunc(ways, func(other guarded) bool {
			return upstreams[other.upstream] && !admitAlike(own, other.Route)
		})
	}
}

// admitAlike tells whether two routes admit the same.
func admitAlike(a, b admin.Route) bool {
	return a.Anonymous == b.Anonymous && slices.Equal(a.Profiles, b.Profiles) && slices.Equal(a.Require, b.Require)
}
