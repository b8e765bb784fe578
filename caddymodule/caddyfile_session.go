package caddymodule

var sessionBlock = grammar[Session]{name: "session", words: []word[Session]{
	{
		name: "duration", args: "<duration>",
		help: "of a session whose maker names none; default 60m",
		read: func(r *reader, s *Session) error { return r.duration(&s.Duration) },
	},
	{
		name: "max_duration", args: "<duration>",
		help: "of a session in all; default 30d",
		read: func(r *reader, s *Session) error { return r.duration(&s.MaxDuration) },
	},
	{
		name: "idle", args: "<duration>",
		help: "how long it lives without a request; default until its end",
		read: func(r *reader, s *Session) error { return r.duration(&s.Idle) },
	},
	{
		name: "jwt_lifetime", args: "<duration>",
		help: "of a session JWT of the API; default 5m",
		read: func(r *reader, s *Session) error { return r.duration(&s.JWTLifetime) },
	},
	{
		name: "reuse_for", args: "<duration>",
		help: "how long requests share one injected JWT; default 30s, 0 signs each time",
		read: func(r *reader, s *Session) error { return r.durationOrZero(&s.ReuseFor) },
	},
	{
		name: "cookie", args: "<name>", block: cookieBlock,
		help: "default __Host-session",
		read: readCookie,
	},
}}

var cookieBlock = grammar[Cookie]{name: "cookie", words: []word[Cookie]{
	{
		name: "same_site", args: "lax|strict|none",
		help: "default lax",
		read: func(r *reader, c *Cookie) error { return r.choice(&c.SameSite, sameSites...) },
	},
	{
		name: "domain", args: "<domain>",
		help: "for every host below it; the name then begins with __Secure-",
		read: func(r *reader, c *Cookie) error { return r.text(&c.Domain) },
	},
}}

// readSession reads `session { … }`.
func readSession(r *reader, a *App) error {
	s, err := once(r, &a.Session)
	if err != nil {
		return err
	}
	return sessionBlock.read(r, s)
}

// readCookie reads `cookie <name> { … }`.
func readCookie(r *reader, s *Session) error {
	c, err := once(r, &s.Cookie)
	if err != nil {
		return err
	}
	if err := r.text(&c.Name); err != nil {
		return err
	}
	return cookieBlock.read(r, c)
}
