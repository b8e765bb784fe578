package admin

import (
	"cmp"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/trust"
)

// A Refusal is a request that was refused.
type Refusal struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Door    string    `json:"door"`
	Host    string    `json:"host"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Client  string    `json:"client_ip"`
	Status  int       `json:"status"`
	Code    string    `json:"code"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Profile string    `json:"profile,omitempty"`
	Token   *Token    `json:"token,omitempty"`
	Checks  []Check   `json:"checks,omitempty"`
}

// A Token is what a refused token says of itself. Nothing of it was verified.
type Token struct {
	Algorithm string `json:"alg,omitempty"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"typ,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Audience  string `json:"aud,omitempty"`
	IssuedAt  string `json:"iat,omitempty"`
	NotBefore string `json:"nbf,omitempty"`
	ExpireAt  string `json:"exp,omitempty"`
}

// A Check is one rule that a token must pass, as it was then.
type Check struct {
	Name       string `json:"check"`
	Passed     bool   `json:"passed"`
	Skipped    bool   `json:"skipped,omitempty"`
	Code       string `json:"code,omitempty"`
	Configured string `json:"configured,omitempty"`
	Found      string `json:"found,omitempty"`
	Remedy     string `json:"remedy,omitempty"`
	// Dropped is what of a claim was left out, and why; the check passes all the same.
	Dropped string `json:"dropped,omitempty"`
}

func refusalOf(r authn.RefusedRequest) Refusal {
	out := Refusal{
		ID: r.ID, Time: r.At.UTC(), Door: r.Door, Host: r.Host, Method: r.Method, Path: r.Path, Client: r.Client, Status: r.Status,
		Code: r.Code, Reason: r.Reason, Message: r.Message, Profile: r.Profile, Checks: checksOf(r),
	}
	if t := r.Token; t != (trust.TokenFacts{}) {
		out.Token = &Token{t.Algorithm, t.KeyID, t.Type, t.Issuer, t.Audience, t.IssuedAt, t.NotBefore, t.ExpireAt}
	}
	return out
}

// checksOf are the checks up to the one that failed.
func checksOf(r authn.RefusedRequest) []Check {
	if r.Check == "" {
		return nil
	}
	var list []Check
	for _, name := range trust.CheckNames() {
		if name == r.Check {
			break
		}
		list = append(list, Check{Name: name, Passed: true})
	}
	return append(list, Check{Name: r.Check, Code: r.Reason, Configured: r.Configured, Found: r.Found, Remedy: r.Remedy})
}

// refusals lists the newest first.
func (a *Admin) refusals(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	list := []Refusal{}
	for _, r := range a.Core.Refusals.Latest(limit) {
		if code, profile := c.query("code"), c.query("profile"); cmp.Or(code, r.Code) == r.Code && cmp.Or(profile, r.Profile) == r.Profile {
			list = append(list, refusalOf(r))
		}
	}
	return list, nil
}

func (a *Admin) refusedRequest(c *call) (any, error) {
	r, ok := a.Core.Refusals.Find(c.PathValue("id"))
	if !ok {
		return nil, notFound("this gateway remembers no refusal of that id; the first six characters of a proxied request's id name the gateway (status lists them), and each gateway is asked for its own")
	}
	return refusalOf(r), nil
}

// A Minute is how many requests were admitted and refused.
type Minute struct {
	At       time.Time `json:"at"`
	Admitted int       `json:"admitted"`
	Refused  int       `json:"refused"`
}

// Traffic are the last 60 minutes of one profile, the oldest first. Without a profile
// they are those of requests for which none was selected.
type Traffic struct {
	Profile string   `json:"profile"`
	Minutes []Minute `json:"minutes"`
}

func (a *Admin) traffic(*call) (any, error) {
	list := []Traffic{}
	for profile, minutes := range a.Core.Traffic.LastHour() {
		t := Traffic{Profile: profile, Minutes: []Minute{}}
		for _, m := range minutes {
			t.Minutes = append(t.Minutes, Minute{m.At.UTC(), m.Admitted, m.Refused})
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Traffic) int { return cmp.Compare(a.Profile, b.Profile) })
	return list, nil
}
