package caddymodule

var profileBlock = grammar[Profile]{name: "profile", words: []word[Profile]{
	{
		name: "issuer", args: "<iss>...",
		help: "the values of iss that are good",
		read: func(r *reader, p *Profile) error { return r.texts(&p.Issuers) },
	},
	{
		name: "audience", args: "<aud>... [from <claim>]",
		help: "one of them must be named by the token; the claim is aud unless given",
		read: readAudience,
	},
	{
		name: "jwks_url", args: "<url>", block: jwksURLBlock,
		help: "where the keys are published",
		read: readJWKSURL,
	},
	{
		name: "jwks_file", args: "<path>",
		help: "the keys as a JWK set",
		read: func(r *reader, p *Profile) error { return r.text(&p.JWKSFile) },
	},
	{
		name: "public_key_file", args: "<pem>...",
		help: "the keys as PEM",
		read: func(r *reader, p *Profile) error { return r.texts(&p.PublicKeyFiles) },
	},
	{
		name: "dev",
		help: "a key pair for 'caddy attest mint', on loopback only",
		read: func(r *reader, p *Profile) error { return r.flag(&p.Dev) },
	},
	{
		name: "algorithms", args: "<alg>...",
		help: "default RS256 RS384 RS512 ES256 ES384 ES512 EdDSA",
		read: func(r *reader, p *Profile) error { return r.choices(&p.Algorithms, tokenAlgorithms...) },
	},
	{
		name: "types", args: "<typ>...",
		help: "values of the header typ; default absent, JWT, at+jwt",
		read: func(r *reader, p *Profile) error { return r.texts(&p.Types) },
	},
	{
		name: "leeway", args: "<duration>",
		help: "how far the issuer's clock may be off; default and limit 60s",
		read: func(r *reader, p *Profile) error { return r.durationOrZero(&p.Leeway) },
	},
	{
		name: "max_token_age", args: "<duration>",
		help: "how long after iat a token is good; default until exp",
		read: func(r *reader, p *Profile) error { return r.duration(&p.MaxTokenAge) },
	},
	{
		name: "max_lifetime", args: "<duration>",
		help: "the longest exp - iat; default 24h",
		read: func(r *reader, p *Profile) error { return r.duration(&p.MaxLifetime) },
	},
	{
		name: "stale_keys", args: "<duration>",
		help: "how long the last good keys serve while jwks_url is away; default 24h",
		read: func(r *reader, p *Profile) error { return r.durationOrZero(&p.StaleKeys) },
	},
	{
		name: "require_claims", args: "<claim>[=<value>]...",
		help: "all of them must be there",
		read: readRequireClaims,
	},
	{
		name: "map", args: "<attribute> <claim path>", block: mapBlock, either: true,
		help: "which claim says what; or a block of such lines",
		read: readMap,
	},
	{
		name: "roles", args: "<role>...", block: rolesBlock, either: true,
		help: "the roles it may give; or a block that translates them",
		read: readProfileRoles,
	},
	{
		name: "email_domains", args: "<domain>... | *",
		help: "whose addresses it speaks for; default none",
		read: func(r *reader, p *Profile) error { return r.texts(&p.EmailDomains) },
	},
	{
		name: "email_verified", args: "assume",
		help: "treat those addresses as verified",
		read: readEmailVerified,
	},
	{
		name: "namespace", args: "<name>",
		help: "whose external ids these are; default the profile's name",
		read: func(r *reader, p *Profile) error { return r.text(&p.Namespace) },
	},
	{
		name: "organization", args: "<text with {claims.path}>",
		help: "where its tokens belong",
		read: func(r *reader, p *Profile) error { return r.text(&p.Organization) },
	},
	{
		name: "create", args: "members|organizations... [<n>/h]",
		help: "what its tokens bring into being; default 1000/h and 100/h",
		read: readCreate,
	},
	{
		name: "factor", args: "<type>", block: factorBlock,
		help: "what a token proves",
		read: readFactor,
	},
	{
		name: "session_key", args: "<claim>...",
		help: "tokens that agree in all of them share a session",
		read: func(r *reader, p *Profile) error { return r.texts(&p.SessionKey) },
	},
	{
		name: "session", block: profileSessionBlock,
		help: "limits of the sessions the proxy starts from its tokens",
		read: readProfileSession,
	},
}}
