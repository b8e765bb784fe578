package caddymodule

var keysBlock = grammar[Keys]{name: "keys", words: []word[Keys]{
	{
		name: "algorithm", args: "ES256|RS256|EdDSA",
		help: "default ES256, with compat RS256",
		read: func(r *reader, k *Keys) error { return r.choice(&k.Algorithm, signingAlgorithms...) },
	},
	{
		name: "rotate_every", args: "<duration>",
		help: "how often a new key takes over, 1h or more; default 90d",
		read: func(r *reader, k *Keys) error { return r.duration(&k.RotateEvery) },
	},
	{
		name: "file", args: "<pem>...",
		help: "private keys instead of the ring in the store; the first signs",
		read: func(r *reader, k *Keys) error { return r.texts(&k.Files) },
	},
}}

// readKeys reads `keys { … }`.
func readKeys(r *reader, a *App) error {
	k, err := once(r, &a.Keys)
	if err != nil {
		return err
	}
	return keysBlock.read(r, k)
}
