package main

import "fmt"

// A scenario is one path through the gateway.
type scenario struct {
	name string
	// global and route are lines of the gateway's configuration.
	global, route string
	redis         bool
	// work is that of limit.
	work string
	// plan makes the requests.
	plan func(*caller) (next func() call, err error)
}

func scenarios() []scenario {
	oneToken := func(c *caller) (func() call, error) {
		session, err := c.attest("ada", nil)
		return always(call{header: "Authorization", value: "Bearer " + session.Token}), err
	}
	return []scenario{
		{name: "hot, session token", work: "header", plan: oneToken},
		{name: "hot, cookie", work: "header", plan: func(c *caller) (func() call, error) {
			session, err := c.attest("ada", nil)
			return always(call{header: "Cookie", value: "__Host-session=" + session.Token}), err
		}},
		{name: "hot, session JWT", work: "header", plan: func(c *caller) (func() call, error) {
			session, err := c.attest("ada", nil)
			return always(call{header: "Authorization", value: "Bearer " + session.JWT}), err
		}},
		{name: "hot, trusted bearer", work: "header", plan: func(c *caller) (func() call, error) {
			return always(call{header: "Authorization", value: "Bearer " + c.token("ada", "1", nil)}), nil
		}},
		{name: "hot, copy_claims and requirements", work: "header", plan: oneToken,
			route: "copy_claims sub>X-User session.roles>X-Roles csv\nrequire organization acme\nrequire factor trusted_auth_token"},
		{name: "hot, 100 roles", work: "header", plan: func(c *caller) (func() call, error) {
			var roles []any
			for i := range 100 {
				roles = append(roles, fmt.Sprint("role-", i))
			}
			session, err := c.attest("ada", map[string]any{"roles": roles})
			return always(call{header: "Authorization", value: "Bearer " + session.Token}), err
		}},
		{name: "a JWT each time, ES256", work: "sign", plan: oneToken, global: "session {\nreuse_for 0\n}"},
		{name: "a JWT each time, EdDSA", work: "sign-eddsa", plan: oneToken, global: "session {\nreuse_for 0\n}\nkeys {\nalgorithm EdDSA\n}"},
		{name: "local_cache off, Redis", work: "get", redis: true, plan: oneToken, global: "local_cache off"},
		{name: "first exchange, known member, Redis", work: "verify get set sign", redis: true, plan: fresh(true)},
		{name: "first exchange, new member, Redis", work: "verify get set sign", redis: true, plan: fresh(false)},
		{name: "first exchange, known member, bolt", work: "verify sign", plan: fresh(true)},
		{name: "authenticate, one session, Redis", work: "get sign", redis: true, plan: func(c *caller) (func() call, error) {
			session, err := c.attest("ada", nil)
			return always(c.api("authenticate", map[string]any{"session_token": session.Token})), err
		}},
	}
}

// fresh shows a new token each time, of one member or of as many.
func fresh(known bool) func(*caller) (func() call, error) {
	return func(c *caller) (func() call, error) {
		if _, err := c.attest("ada", nil); err != nil {
			return nil, err
		}
		return func() call {
			sub, id := "ada", c.number()
			if !known {
				sub = id
			}
			return call{header: "Authorization", value: "Bearer " + c.token(sub, id, nil)}
		}, nil
	}
}

func always(c call) func() call { return func() call { return c } }
