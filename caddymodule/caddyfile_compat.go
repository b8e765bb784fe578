package caddymodule

var compatBlock = grammar[Compat]{name: "compat stytch", words: []word[Compat]{
	{
		name: "consumer_organization", args: "<id>",
		help: "whose members the consumer endpoints call users",
		read: func(r *reader, c *Compat) error { return r.text(&c.ConsumerOrganization) },
	},
}}

// readCompat reads `compat stytch { … }`.
func readCompat(r *reader, a *App) error {
	c, err := once(r, &a.Compat)
	if err != nil {
		return err
	}
	if err := r.choice(&c.Mode, compatStytch); err != nil {
		return err
	}
	return compatBlock.read(r, c)
}
