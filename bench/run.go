package main

import (
	"fmt"
	"slices"
)

// A run is one scenario under way.
type run struct {
	machine  *machine
	scenario scenario
	options  options
	stores   fleet
	// plain, limit and gateway, in this order, then others.
	contestants []*contestant
	started     []*program
}

func (m *machine) run(s scenario, o options) (result, error) {
	r := &run{machine: m, scenario: s, options: o}
	defer r.stop()
	if err := r.start(); err != nil {
		return result{}, err
	}
	if err := r.rounds(); err != nil {
		return result{}, err
	}
	for _, c := range r.contestants {
		if err := c.count(o, r.stores); err != nil {
			return result{}, err
		}
	}
	if err := r.profile(); err != nil {
		return result{}, err
	}
	return r.result(), nil
}

func (r *run) stop() {
	for _, p := range r.started {
		p.stop()
	}
	r.stores.stop()
}

func (r *run) start() (err error) {
	if r.scenario.redis {
		if r.stores, err = startRedis(r.machine.dir); err != nil {
			return err
		}
	}
	limit, err := r.begun(r.machine.limit(r.scenario, r.stores))
	if err != nil {
		return err
	}
	gateway, err := r.begun(r.machine.gateway(r.scenario, r.stores))
	if err != nil {
		return err
	}
	if r.scenario.control {
		if limit, gateway, err = r.controls(); err != nil {
			return err
		}
	}
	if err := r.enter(r.machine.plain, &visitor{ours: true}); err != nil {
		return err
	}
	if err := r.enter(limit, &visitor{ours: true, api: !r.scenario.control}); err != nil {
		return err
	}
	if err := r.enter(gateway, &visitor{ours: r.scenario.control, sessions: true, api: true}); err != nil {
		return err
	}
	return r.further()
}

func (r *run) begun(p *program, err error) (*program, error) {
	if err == nil {
		r.started = append(r.started, p)
	}
	return p, err
}

// controls are two more plain ones.
func (r *run) controls() (first, second *program, err error) {
	if first, err = r.begun(r.machine.caddy("control", "", "")); err != nil {
		return nil, nil, err
	}
	second, err = r.begun(r.machine.caddy("control", "", ""))
	return first, second, err
}

func (r *run) further() error {
	for _, a := range r.options.against {
		p, err := r.begun(a.start(r.machine, r.stores))
		if err != nil {
			return err
		}
		if err := r.enter(p, &visitor{}); err != nil {
			return err
		}
	}
	return nil
}

// enter makes a program a contestant, and its plan.
func (r *run) enter(p *program, like *visitor) error {
	v := &visitor{caller: newCaller(p.url, r.options.clients), issuer: r.machine.issuer, name: fmt.Sprint(p.name, len(r.contestants)),
		sessions: like.sessions, api: like.api, ours: like.ours}
	next, err := r.scenario.plan(v)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	r.contestants = append(r.contestants, &contestant{program: p, visitor: v, next: next})
	return nil
}

// rounds are a slice of each, beginning with another each time. The first two warm up.
func (r *run) rounds() error {
	order := slices.Clone(r.contestants)
	for round := range r.options.rounds + 2 {
		for _, c := range order {
			t, err := c.slice(r.options, r.options.slice, r.stores)
			if err != nil {
				return err
			}
			c.slices = append(c.slices, t)
			if round == 1 {
				c.slices = c.slices[:0:0]
			}
		}
		slices.Reverse(order)
	}
	return nil
}
