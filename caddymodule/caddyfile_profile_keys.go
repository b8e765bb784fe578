package caddymodule

var jwksURLBlock = grammar[JWKSURL]{name: "jwks_url", words: []word[JWKSURL]{
	{
		name: "bearer", args: "<path>",
		help: "a file with the token to present there",
		read: func(r *reader, k *JWKSURL) error { return r.text(&k.Bearer) },
	},
	{
		name: "ca", args: "<pem>",
		help: "a file with the authorities to trust there",
		read: func(r *reader, k *JWKSURL) error { return r.text(&k.CA) },
	},
	{
		name: "allow_private",
		help: "the address may lead to a private network",
		read: func(r *reader, k *JWKSURL) error { return r.flag(&k.AllowPrivate) },
	},
}}

// readJWKSURL reads `jwks_url <url> { … }`.
func readJWKSURL(r *reader, p *Profile) error {
	k, err := once(r, &p.JWKSURL)
	if err != nil {
		return err
	}
	if err := r.text(&k.URL); err != nil {
		return err
	}
	return jwksURLBlock.read(r, k)
}
