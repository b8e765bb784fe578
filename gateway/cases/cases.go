package cases

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/trust"
)

// A Case is a token, and what is expected of it.
type Case struct {
	Name string `json:"name"`
	// Profile that judges the token.
	Profile string `json:"profile"`
	// Token are its claims. iss and aud are those of the profile where they are not
	// given, and it was issued now and is good for five minutes.
	Token map[string]any `json:"token"`
	// Template renders the claims. Default: "default", where there is one.
	Template string `json:"template"`
	// Organization are the variables of the organization in the template. Default: none.
	Organization map[string]any `json:"organization"`
	Expect       Expectation    `json:"expect"`
}

// An Expectation is what a case must come to. What is not given is not compared.
type Expectation struct {
	// Reason is the code of the first failed check; empty: the token passes.
	Reason string `json:"reason"`
	// Roles that the token gives, sorted.
	Roles []string `json:"roles"`
	// Organization is what the token is for, as the profile reads it.
	Organization string `json:"organization"`
	// Claims are the effective claims, all of them.
	Claims map[string]any `json:"claims"`
}

// A Judge is a configuration.
type Judge struct {
	Profiles  *trust.Set
	Templates map[string]*claims.Template
	Policy    claims.Policy
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Parse reads a file of cases. The error names the case.
func Parse(data []byte) ([]Case, error) {
	var list []Case
	if err := strictjson.UnmarshalExact(data, &list); err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	for i, c := range list {
		if c.Name == "" || c.Profile == "" {
			return nil, fmt.Errorf("cases: case %d: name and profile are required", i+1)
		}
		if c.Expect.Reason == "" && c.Expect.Roles == nil && c.Expect.Organization == "" && c.Expect.Claims == nil {
			return nil, fmt.Errorf("cases: %q: nothing is expected", c.Name)
		}
	}
	return list, nil
}

// Run judges the case. The error says what was expected and what it came to.
func (c Case) Run(ctx context.Context, j Judge) error {
	p, ok := j.Profiles.Profile(c.Profile)
	if !ok {
		return fmt.Errorf("cases: %q: there is no profile %q; there are: %s", c.Name, c.Profile, strings.Join(j.Profiles.Names(), ", "))
	}
	id, err := p.Try(ctx, c.token(p, j.now()))
	if err := c.reason(err); err != nil || c.Expect.Reason != "" {
		return err
	}
	return errors.Join(c.roles(id), c.organization(id), c.claims(id, j))
}

func (j Judge) now() time.Time {
	if j.Now == nil {
		return time.Now()
	}
	return j.Now()
}

// token are the claims of the case, with those that every token of the profile has.
func (c Case) token(p *trust.Profile, now time.Time) map[string]any {
	config := p.Config()
	token := map[string]any{"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	if len(config.Issuers) > 0 {
		token["iss"] = config.Issuers[0]
	}
	if name := config.AudienceClaim; len(config.Audiences) > 0 {
		if name == "" {
			name = "aud"
		}
		token[name] = config.Audiences[0]
	}
	for name, value := range c.Token {
		if token[name] = value; value == nil {
			delete(token, name)
		}
	}
	return token
}

func (c Case) reason(err error) error {
	got := ""
	var refused *trust.Refusal
	if errors.As(err, &refused) {
		got = refused.Code
	} else if err != nil {
		return fmt.Errorf("cases: %q: %w", c.Name, err)
	}
	if got == c.Expect.Reason {
		return nil
	}
	if refused != nil {
		got += " (" + refused.Remedy + ")"
	}
	return fmt.Errorf("cases: %q: expected %s, and it is %s", c.Name, orPasses(c.Expect.Reason), orPasses(got))
}

func orPasses(reason string) string {
	if reason == "" {
		return "that the token passes"
	}
	return "reason " + reason
}

func (c Case) roles(id *trust.Identity) error {
	if c.Expect.Roles == nil || slices.Equal(slices.Sorted(slices.Values(c.Expect.Roles)), slices.Sorted(slices.Values(id.Roles))) {
		return nil
	}
	return fmt.Errorf("cases: %q: expected roles %q, and they are %q", c.Name, c.Expect.Roles, id.Roles)
}

func (c Case) organization(id *trust.Identity) error {
	if c.Expect.Organization == "" || c.Expect.Organization == id.Organization.Value {
		return nil
	}
	return fmt.Errorf("cases: %q: expected organization %q, and it is %q", c.Name, c.Expect.Organization, id.Organization.Value)
}

func (c Case) claims(id *trust.Identity, j Judge) error {
	if c.Expect.Claims == nil {
		return nil
	}
	t, ok := j.Templates[c.Template]
	switch {
	case c.Template == "":
		t = j.Templates["default"]
	case !ok:
		return fmt.Errorf("cases: %q: there is no template %q", c.Name, c.Template)
	}
	got, err := j.Policy.Effective(t, c.variables(id), claims.Overlay{})
	if err != nil {
		return fmt.Errorf("cases: %q: %w", c.Name, err)
	}
	if !equalJSON(got, c.Expect.Claims) {
		return fmt.Errorf("cases: %q: expected claims %s, and they are %s", c.Name, text(c.Expect.Claims), text(got))
	}
	return nil
}

// variables are those of a member whom the token has just created.
func (c Case) variables(id *trust.Identity) claims.Variables {
	member := claims.Object{"member_id": "member-of-the-case", "rbac": claims.Object{"roles": anyOf(id.Roles)}}
	for name, value := range map[string]string{"email_address": id.Email, "name": id.Name, "external_id": id.ExternalID} {
		if value != "" {
			member[name] = value
		}
	}
	if len(id.Metadata) > 0 {
		member["trusted_metadata"] = claims.Object(id.Metadata)
	}
	organization := claims.Object(c.Organization)
	if organization == nil {
		organization = claims.Object{}
	}
	return claims.Variables{
		"member": member, "organization": organization, "token": claims.Object(id.Claims),
		"session": claims.Object{"profile": id.Profile, "issuer": id.Issuer, "factor_types": []any{id.Factor.Type}},
	}
}

func anyOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, t := range texts {
		list[i] = t
	}
	return list
}

func text(v any) string {
	data, err := strictjson.Marshal(v)
	if err != nil {
		return "what cannot be written"
	}
	return string(data)
}

// equalJSON compares as JSON, so that 1 from a file equals 1 from a template.
func equalJSON(a, b any) bool {
	x, errX := strictjson.Parse([]byte(text(a)))
	y, errY := strictjson.Parse([]byte(text(b)))
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}
