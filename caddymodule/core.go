package caddymodule

import (
	"errors"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/verify"
	"github.com/attestgate/caddy-attest/gateway/web"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store/sealed"
)

// core refuses what a core package refuses, at the option that it names below at.
func (c *checker) core(at grammar.Place, err error) {
	if err == nil {
		return
	}
	option, reason := mistake(err)
	c.Refuse(at.At(strings.Fields(option)...), "%s", reason)
}

// mistake is the option that a core package refuses, and why. Each package has its
// rules, and an error type of its own.
func mistake(err error) (option, reason string) {
	var (
		ofGateway *authn.ConfigError
		ofCookie  *web.ConfigError
		ofForward *proxy.ConfigError
		ofVerify  *verify.ConfigError
		ofSession *session.ConfigError
		ofRing    *mint.ConfigError
		ofSealing *sealed.ConfigError
	)
	switch {
	case errors.As(err, &ofGateway):
		return ofGateway.Option, ofGateway.Reason
	case errors.As(err, &ofCookie):
		return ofCookie.Option, ofCookie.Reason
	case errors.As(err, &ofForward):
		return ofForward.Option, ofForward.Reason
	case errors.As(err, &ofVerify):
		return ofVerify.Option, ofVerify.Reason
	case errors.As(err, &ofSession):
		return ofSession.Option, ofSession.Reason
	case errors.As(err, &ofRing):
		return ofRing.Option, ofRing.Reason
	case errors.As(err, &ofSealing):
		return ofSealing.Option, ofSealing.Reason
	}
	return "", err.Error()
}
