package main

import "fmt"

// A scenario is one path through the gateway.
type scenario struct {
	name string
	// control has plain ones in the places of limit and gateway.
	control bool
	// global and route are lines of the gateway's configuration.
	global, route string
	// redis is the store, else it is bolt.
	redis bool
	// limit are the steps of limit.
	limit string
	plan  plan
}

// A plan makes the requests of one visitor.
type plan func(*visitor) (next func() call, err error)

func always(c call) func() call { return func() call { return c } }

func oneToken(v *visitor) (func() call, error) {
	s, err := v.session("ada", nil, nil)
	return always(bearer(s.Token)), err
}

func oneCookie(v *visitor) (func() call, error) {
	s, err := v.session("ada", nil, nil)
	return always(call{header: "Cookie", value: "__Host-session=" + s.Token}), err
}

func oneJWT(v *visitor) (func() call, error) {
	s, err := v.session("ada", nil, nil)
	return always(bearer(s.JWT)), err
}

func oneBearer(v *visitor) (func() call, error) {
	return always(bearer(v.token(v.name, nil))), nil
}

func manyRoles(v *visitor) (func() call, error) {
	var roles []any
	for i := range 100 {
		roles = append(roles, fmt.Sprint("role-", i))
	}
	s, err := v.session("ada", map[string]any{"roles": roles}, nil)
	return always(bearer(s.Token)), err
}

// members is how many have new tokens in turn. One would have more sessions than a member
// may have, and every exchange would end an old one.
const members = 500

// newTokens shows a new token each time, of members that are known or of new ones.
func newTokens(known bool) plan {
	return func(v *visitor) (func() call, error) {
		if known {
			if _, err := v.manySessions(members); err != nil {
				return nil, err
			}
		}
		return func() call { return bearer(v.token(v.someone(known), nil)) }, nil
	}
}

// someone is one of the members of manySessions, or nobody yet.
func (v *visitor) someone(known bool) string {
	if !known {
		return v.number()
	}
	return fmt.Sprint(v.name, "m", v.count.Add(1)%members)
}

func authenticated(v *visitor) (func() call, error) {
	s, err := v.session("ada", nil, nil)
	return always(v.call("authenticate", s.Token, map[string]any{"session_token": s.Token})), err
}

func scenarios() []scenario {
	const exchange, each = "verify set sign", "session {\nreuse_for 0\n}"
	return []scenario{
		{name: "control: plain beside plain", control: true, plan: oneToken},
		{name: "hot, session token", plan: oneToken},
		{name: "hot, cookie", plan: oneCookie},
		{name: "hot, session JWT", plan: oneJWT},
		{name: "hot, trusted bearer", plan: oneBearer},
		{name: "hot, copy_claims and requirements", plan: oneToken,
			route: "copy_claims sub>X-User session.roles>X-Roles csv\nrequire organization acme\nrequire factor trusted_auth_token"},
		{name: "hot, 100 roles", limit: "3000", plan: manyRoles},
		{name: "a JWT each time, ES256", limit: "sign", plan: oneToken, global: each},
		{name: "a JWT each time, EdDSA", limit: "sign-eddsa", plan: oneToken, global: each + "\nkeys {\nalgorithm EdDSA\n}"},
		{name: "local_cache off, Redis", limit: "mget", redis: true, plan: oneToken, global: "local_cache off"},
		{name: "first exchange, known member, Redis", limit: exchange, redis: true, plan: newTokens(true)},
		{name: "first exchange, new member, Redis", limit: exchange, redis: true, plan: newTokens(false)},
		{name: "first exchange, known member, bolt", limit: "verify bolt sign", plan: newTokens(true)},
		{name: "authenticate, one session, Redis", limit: "mget sign answer", redis: true, plan: authenticated},
	}
}
