package caddymodule

import (
	"strconv"
	"strings"
)

// readEmailVerified reads `email_verified assume`.
func readEmailVerified(r *reader, p *Profile) error {
	if p.AssumeEmailVerified {
		return r.again()
	}
	p.AssumeEmailVerified = true
	var word string
	return r.choice(&word, "assume")
}

// readCreate reads `create members|organizations... [<n>/h]`; the rate is that of
// each kind named on the line.
func readCreate(r *reader, p *Profile) error {
	args, err := r.args(1)
	if err != nil {
		return err
	}
	rate := 0
	if n := len(args) - 1; n > 0 && strings.HasSuffix(args[n], "/h") {
		if rate, err = readRate(r, args[n]); err != nil {
			return err
		}
		args = args[:n]
	}
	if p.Create == nil {
		p.Create = new(Create)
	}
	for _, kind := range args {
		if err := p.Create.add(r, kind, rate); err != nil {
			return err
		}
	}
	return nil
}

// readRate reads `<n>/h`.
func readRate(r *reader, text string) (int, error) {
	rate, err := strconv.Atoi(strings.TrimSuffix(text, "/h"))
	if err != nil || rate < 1 {
		return 0, r.Errf("'%s' is not a rate; expected one such as 500/h", text)
	}
	return rate, nil
}

// add allows one kind, at the rate, or 0 for the default.
func (c *Create) add(r *reader, kind string, rate int) error {
	allowed, perHour := &c.Members, &c.MembersPerHour
	switch kind {
	case "members":
	case "organizations":
		allowed, perHour = &c.Organizations, &c.OrganizationsPerHour
	default:
		return r.unrecognized("kind", kind, "members", "organizations")
	}
	if *allowed {
		return r.Errf("'%s %s' is already given", r.path, kind)
	}
	*allowed, *perHour = true, rate
	return nil
}

var factorBlock = grammar[Factor]{name: "factor", words: []word[Factor]{
	{
		name: "second_only",
		help: "it adds to a session and never starts one",
		read: func(r *reader, f *Factor) error { return r.flag(&f.SecondOnly) },
	},
	{
		name: "valid_for", args: "<duration>",
		help: "how long it counts; default while the session lives",
		read: func(r *reader, f *Factor) error { return r.duration(&f.ValidFor) },
	},
}}

// readFactor reads `factor <type> { … }`.
func readFactor(r *reader, p *Profile) error {
	f, err := once(r, &p.Factor)
	if err != nil {
		return err
	}
	if err := r.text(&f.Type); err != nil {
		return err
	}
	return factorBlock.read(r, f)
}

var profileSessionBlock = grammar[ProfileSession]{name: "profile session", words: []word[ProfileSession]{
	{
		name: "duration", args: "<duration>",
		help: "default until the token's end",
		read: func(r *reader, s *ProfileSession) error { return r.duration(&s.Duration) },
	},
	{
		name: "idle", args: "<duration>",
		help: "default until its end",
		read: func(r *reader, s *ProfileSession) error { return r.duration(&s.Idle) },
	},
}}

// readProfileSession reads a profile's `session { … }`.
func readProfileSession(r *reader, p *Profile) error {
	s, err := once(r, &p.Session)
	if err != nil {
		return err
	}
	return profileSessionBlock.read(r, s)
}
