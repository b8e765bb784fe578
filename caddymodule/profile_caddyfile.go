package caddymodule

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
)

// profileBlock is a profile of the global attest block.
//
//	profile <name> {
//		preset <name> [<argument>...]
//		issuer <iss>... | none [sub <prefix>]
//		audience <aud>... [from <claim>]
//		token_from header <name> [<scheme>] | cookie <name> | query <name> at <path>... | form <name> at <path>... from <origin>...
//		jwks_url <url> {
//			bearer <path>
//			ca <pem>
//			header <name> <value>
//			client_cert <pem> <pem>
//			proxy <url>
//			allow_private
//			allow_http
//		}
//		discover <issuer> {
//			bearer <path>
//			ca <pem>
//			header <name> <value>
//			client_cert <pem> <pem>
//			proxy <url>
//			allow_private
//			allow_http
//		}
//		introspect <url> {
//			bearer <path>
//			ca <pem>
//			header <name> <value>
//			client_cert <pem> <pem>
//			proxy <url>
//			allow_private
//			allow_http
//			client <id> <secret>
//			cache <duration>
//		}
//		jwks_file <path>
//		public_key_file <pem>...
//		shared_secret <value>... | from <directory> by <claim>
//		dev
//		algorithms <alg>...
//		types <typ>...
//		leeway <duration>
//		max_token_age <duration>
//		max_lifetime <duration>
//		stale_keys <duration>
//		require_claims <claim>[=<value>]...
//		when <CEL>
//		map <attribute> <claim path> | expression <CEL>
//		map {
//			<attribute> <claim path> [<form>...] | expression <CEL>
//		}
//		roles <role>...|*
//		roles {
//			<value> <role>...
//		}
//		email_domains <domain>... | *
//		email_verified assume
//		namespace <name> | own | api
//		organization <text with {claims.path}>
//		create members|organizations|public... [<n>/h]
//		factor <type> {
//			second_only
//			valid_for <duration>
//			proved auth_time|iat|fva
//		}
//		observe
//		replay reject
//		session_key <claim>...
//		session {
//			duration <duration>
//			idle <duration>
//		}
//	}
var profileBlock = grammar.Block[Profile]{Name: "profile", Lines: []grammar.Line[Profile]{
	grammar.Custom("preset", "<name> [<argument>...]", "begin with the lines for a well-known issuer, each of which a line here replaces", readPreset),
	grammar.Custom("issuer", "<iss>... | none [sub <prefix>]", "the values of iss that are good; or tokens without iss", readIssuer),
	grammar.Custom("audience", "<aud>... [from <claim>]", "one of them must be named by the token; the claim is aud unless given", readAudience),
	grammar.Custom("token_from", "header <name> [<scheme>] | cookie <name> | query <name> at <path>... | form <name> at <path>... from <origin>...", "where proxied requests carry the token; default Authorization: Bearer", readTokenFrom),
	grammar.SubText("jwks_url", "<url>", "where the keys are published", jwksURLBlock,
		func(p *Profile) **JWKSURL { return &p.JWKSURL }, func(k *JWKSURL) *string { return &k.URL }),
	grammar.SubText("discover", "<issuer>", "the issuer's OpenID configuration says where the keys are; also the iss", jwksURLBlock,
		func(p *Profile) **JWKSURL { return &p.Discover }, func(k *JWKSURL) *string { return &k.URL }),
	grammar.SubText("introspect", "<url>", "the issuer is asked about each token, which says nothing itself (RFC 7662)", introspectBlock,
		func(p *Profile) **Introspect { return &p.Introspect }, func(i *Introspect) *string { return &i.URL }),
	grammar.Text("jwks_file", "<path>", "the keys as a JWK set",
		func(p *Profile) *string { return &p.JWKSFile }),
	grammar.Texts("public_key_file", "<pem>...", "the keys as PEM",
		func(p *Profile) *[]string { return &p.PublicKeyFiles }),
	grammar.Custom("shared_secret", "<value>... | from <directory> by <claim>", "secrets that the issuer has too, 32 bytes or more; then HS256, HS384 and HS512 alone; or one for each installation, in the file that the claim names", readSharedSecret),
	grammar.Flag("dev", "a key pair for 'caddy attest mint', on loopback only",
		func(p *Profile) *bool { return &p.Dev }),
	grammar.Choices("algorithms", "<alg>...", "which signatures are good; default RS256 RS384 RS512 ES256 ES384 ES512 EdDSA", tokenAlgorithms,
		func(p *Profile) *[]string { return &p.Algorithms }),
	grammar.Texts("types", "<typ>...", "values of the header typ; default absent, JWT, at+jwt",
		func(p *Profile) *[]string { return &p.Types }),
	grammar.DurationOrZero("leeway", "<duration>", "how far the issuer's clock may be off; default and limit 60s",
		func(p *Profile) **caddy.Duration { return &p.Leeway }),
	grammar.Duration("max_token_age", "<duration>", "how long after iat a token is good; default until exp",
		func(p *Profile) *caddy.Duration { return &p.MaxTokenAge }),
	grammar.Duration("max_lifetime", "<duration>", "the longest exp - iat; default 24h",
		func(p *Profile) *caddy.Duration { return &p.MaxLifetime }),
	grammar.DurationOrZero("stale_keys", "<duration>", "how long the last good keys serve while jwks_url is away; default 24h",
		func(p *Profile) **caddy.Duration { return &p.StaleKeys }),
	grammar.Custom("require_claims", "<claim>[=<value>]...", "all of them must be there", readRequireClaims),
	grammar.Custom("when", "<CEL>", "a condition on claims, all of which must hold: claims.env == 'prod'", readWhen),
	grammar.Line[Profile]{Name: "map", Args: "<attribute> <claim path> | expression <CEL>", Help: "which claim says what; or a block of such lines", Block: mapBlock, Either: true, Read: readMap},
	grammar.Line[Profile]{Name: "roles", Args: "<role>...|*", Help: "the roles it may give, * for any that no role block names; or a block that translates them", Block: rolesBlock, Either: true, Read: readProfileRoles},
	grammar.Texts("email_domains", "<domain>... | *", "whose addresses it speaks for; default none",
		func(p *Profile) *[]string { return &p.EmailDomains }),
	grammar.Custom("email_verified", "assume", "treat those addresses as verified", readEmailVerified),
	grammar.Text("namespace", "<name> | own | api", "whose external ids these are; default the profile's name (own)",
		func(p *Profile) *string { return &p.Namespace }),
	grammar.Text("organization", "<text with {claims.path}>", "where its tokens belong",
		func(p *Profile) *string { return &p.Organization }),
	grammar.Custom("create", "members|organizations|public... [<n>/h]", "what its tokens bring into being, default 10000/h and 1000/h; public: also where anybody can register with the issuer", readCreate),
	grammar.SubText("factor", "<type>", "what a token proves", factorBlock,
		func(p *Profile) **Factor { return &p.Factor }, func(f *Factor) *string { return &f.Type }),
	grammar.Flag("observe", "admit nobody by it, and record what would become of its tokens",
		func(p *Profile) *bool { return &p.Observe }),
	grammar.Custom("replay", "reject", "take each token id once", readReplay),
	grammar.Texts("session_key", "<claim>...", "tokens that agree in all of them share a session",
		func(p *Profile) *[]string { return &p.SessionKey }),
	grammar.Sub("session", "limits of the sessions the proxy starts from its tokens", profileSessionBlock,
		func(p *Profile) **ProfileSession { return &p.Session }),
}}

var jwksURLBlock = grammar.Block[JWKSURL]{Name: "jwks_url", Lines: remoteLines(func(k *JWKSURL) *JWKSURL { return k })}

// remoteLines say how an address is reached, in whatever block it stands.
func remoteLines[T any](of func(*T) *JWKSURL) []grammar.Line[T] {
	return []grammar.Line[T]{
		grammar.Text("bearer", "<path>", "a file with the token to present there",
			func(t *T) *string { return &of(t).Bearer }),
		grammar.Text("ca", "<pem>", "a file with the authorities to trust there",
			func(t *T) *string { return &of(t).CA }),
		grammar.Custom("header", "<name> <value>", "a header to send",
			func(r *grammar.Reader, t *T) error { return readKeysHeader(r, of(t)) }),
		grammar.Custom("client_cert", "<pem> <pem>", "files with the certificate to show and its key",
			func(r *grammar.Reader, t *T) error { return readClientCert(r, of(t)) }),
		grammar.Text("proxy", "<url>", "the proxy that connects to the address",
			func(t *T) *string { return &of(t).Proxy }),
		grammar.Flag("allow_private", "the address may lead to a private network",
			func(t *T) *bool { return &of(t).AllowPrivate }),
		grammar.Flag("allow_http", "the URL may be http, to a private address",
			func(t *T) *bool { return &of(t).AllowHTTP }),
	}
}

// readReplay reads `replay reject`.
func readReplay(r *grammar.Reader, p *Profile) error {
	if p.ReplayReject {
		return r.Again()
	}
	p.ReplayReject = true
	var word string
	return r.Choice(&word, "reject")
}

// readTokenFrom reads where tokens stand.
func readTokenFrom(r *grammar.Reader, p *Profile) error {
	if p.TokenFrom != nil {
		return r.Again()
	}
	args, err := r.Args(2)
	if err != nil {
		return err
	}
	switch n := len(args); {
	case args[0] == "cookie" && n == 2:
		p.TokenFrom = &TokenFrom{Cookie: args[1]}
	case args[0] == "header" && (n == 2 || n == 3):
		p.TokenFrom = &TokenFrom{Header: args[1], Scheme: strings.Join(args[2:], "")}
	case args[0] == "query" && n >= 4 && args[2] == "at":
		p.TokenFrom = &TokenFrom{Query: args[1], Paths: args[3:]}
	case args[0] == "form" && n >= 6 && args[2] == "at":
		from := slices.Index(args, "from")
		if from < 4 || from == n-1 {
			return r.Wrong()
		}
		p.TokenFrom = &TokenFrom{Form: args[1], Paths: args[3:from], Origins: args[from+1:]}
	case !slices.Contains(tokenPlaces, args[0]):
		return r.Unrecognized("place", args[0], tokenPlaces...)
	default:
		return r.Wrong()
	}
	return nil
}

var tokenPlaces = []string{"header", "cookie", "query", "form"}

// readKeysHeader reads `header <name> <value>`.
func readKeysHeader(r *grammar.Reader, k *JWKSURL) error {
	args, err := r.Args(2)
	switch {
	case err != nil:
		return err
	case len(args) != 2:
		return r.Wrong()
	}
	if _, twice := k.Headers[http.CanonicalHeaderKey(args[0])]; twice {
		return r.Errf("header '%s' is already given", args[0])
	}
	grammar.Put(&k.Headers, http.CanonicalHeaderKey(args[0]), args[1])
	return nil
}

// readClientCert reads `client_cert <pem> <pem>`.
func readClientCert(r *grammar.Reader, k *JWKSURL) error {
	if k.ClientCert != "" {
		return r.Again()
	}
	args, err := r.Args(2)
	if err != nil {
		return err
	}
	if len(args) != 2 {
		return r.Wrong()
	}
	k.ClientCert, k.ClientKey = args[0], args[1]
	return nil
}

// tokenAlgorithms are those a profile can list.
var tokenAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
}

// readIssuer reads `issuer <iss>...` and `issuer none [sub <prefix>]`.
func readIssuer(r *grammar.Reader, p *Profile) error {
	args, err := r.Args(1)
	switch {
	case err != nil:
		return err
	case args[0] != "none":
		p.Issuers = append(p.Issuers, args...)
		return nil
	case p.WithoutIssuer:
		return r.Again()
	case len(args) == 3 && args[1] == "sub":
		p.SubjectPrefix = args[2]
	case len(args) != 1:
		return r.Wrong()
	}
	p.WithoutIssuer = true
	return nil
}

// readAudience reads `audience <aud>... [from <claim>]`.
func readAudience(r *grammar.Reader, p *Profile) error {
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	n := len(args)
	if args[0] == "from" || args[n-1] == "from" {
		return r.Wrong()
	}
	if n > 2 && args[n-2] == "from" {
		if p.AudienceClaim != "" && p.AudienceClaim != args[n-1] {
			return r.Errf("the audience is already read from claim '%s'", p.AudienceClaim)
		}
		p.AudienceClaim, args = args[n-1], args[:n-2]
	}
	p.Audiences = append(p.Audiences, args...)
	return nil
}

// readRequireClaims reads `require_claims <claim>[=<value>]...`. A claim whose
// name holds = can be required in JSON only.
func readRequireClaims(r *grammar.Reader, p *Profile) error {
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	for _, arg := range args {
		claim, value, valued := strings.Cut(arg, "=")
		if claim == "" || valued && value == "" {
			return r.Wrong()
		}
		r.Mark(r.Path.At(claim))
		p.RequireClaims = append(p.RequireClaims, RequiredClaim{Claim: claim, Value: value})
	}
	return nil
}

var (
	mapBlock   = grammar.Rows{Args: "<attribute> <claim path> [<form>...] | expression <CEL>", Help: "email token_id external_id name roles trusted_metadata.<key>; how roles are written: split <separator>, from_json, object_keys, field <name>"}
	rolesBlock = grammar.Rows{Args: "<value> <role>...", Help: "the claim's value, and the roles it gives"}
)

// readMap reads `map <attribute> <claim path>`, or a block of such lines.
func readMap(r *grammar.Reader, p *Profile) error {
	r.Usage = "map <attribute> <claim path>"
	if r.CountRemainingArgs() > 0 {
		return readMapping(r, p, r.RemainingArgsRaw())
	}
	if err := r.TableRaw(func(line []string) error { return readMapping(r, p, line) }); err != nil {
		return err
	}
	if len(p.Map)+len(p.MapExpressions) == 0 {
		return r.Wrong()
	}
	return nil
}

// readWhen reads `when <CEL>`.
func readWhen(r *grammar.Reader, p *Profile) error {
	text := celText(r.RemainingArgsRaw())
	if text == "" {
		return r.Wrong()
	}
	r.Mark(r.Path.At(text))
	p.When = append(p.When, text)
	return nil
}

// celText is an expression: one word in backquotes or quotes, or the rest of the line as it
// stands.
func celText(raw []string) string {
	if len(raw) == 1 {
		return unquoted(raw[0])
	}
	return strings.Join(raw, " ")
}

// unquoted is a word of the Caddyfile without its quotes.
func unquoted(raw string) string {
	if n := len(raw); n > 1 && raw[0] == raw[n-1] && (raw[0] == '`' || raw[0] == '"') {
		return raw[1 : n-1]
	}
	return raw
}

// attributes are what a claim can be mapped to.
var attributes = []string{
	trust.AttributeEmail, trust.AttributeTokenID, trust.AttributeExternalID, trust.AttributeName,
	trust.AttributeRoles, trust.MetadataPrefix + "<key>",
}

func isAttribute(name string) bool {
	return strings.HasPrefix(name, trust.MetadataPrefix) || slices.Contains(attributes, name)
}

// readMapping reads one attribute and where it comes from.
func readMapping(r *grammar.Reader, p *Profile, raw []string) error {
	args := make([]string, len(raw))
	for i, word := range raw {
		args[i] = unquoted(word)
	}
	if len(args) < 2 || slices.Contains(args, "") {
		return r.Wrong()
	}
	attribute, path := args[0], args[1]
	switch {
	case path == "expression" && len(args) > 2:
		return readMapExpression(r, p, attribute, celText(raw[2:]))
	case attribute == trust.AttributeRoles && len(args) > 2:
		if err := readRolesForm(r, &p.RolesForm, args[2:]); err != nil {
			return err
		}
	case len(args) > 2:
		return r.Wrong()
	}
	if !isAttribute(attribute) {
		return r.Unrecognized("attribute", attribute, attributes...)
	}
	if p.maps(attribute) {
		return r.Errf("'%s' is already mapped", attribute)
	}
	r.Mark(r.Path.At(attribute))
	grammar.Put(&p.Map, attribute, path)
	return nil
}

func (p *Profile) maps(attribute string) bool {
	_, claim := p.Map[attribute]
	_, expression := p.MapExpressions[attribute]
	return claim || expression
}

func readMapExpression(r *grammar.Reader, p *Profile, attribute, text string) error {
	switch {
	case !isAttribute(attribute):
		return r.Unrecognized("attribute", attribute, attributes...)
	case p.maps(attribute):
		return r.Errf("'%s' is already mapped", attribute)
	}
	r.Mark(r.Path.At(attribute))
	grammar.Put(&p.MapExpressions, attribute, text)
	return nil
}

// readRolesForm reads how the roles claim is written.
func readRolesForm(r *grammar.Reader, f *trust.RolesForm, args []string) error {
	r.Usage = "map roles <claim path> [split <separator>|from_json|object_keys|field <name>]"
	word, value := args[0], strings.Join(args[1:], " ")
	switch valued := word == "split" || word == "field"; {
	case !slices.Contains(rolesForms, word):
		return r.Unrecognized("form of roles", word, rolesForms...)
	case valued != (len(args) == 2):
		return r.Wrong()
	}
	f.FromJSON, f.ObjectKeys = word == "from_json", word == "object_keys"
	switch word {
	case "split":
		f.Split = value
	case "field":
		f.Field = value
	}
	return nil
}

var rolesForms = []string{"split", "from_json", "object_keys", "field"}

// readProfileRoles reads `roles <role>...`, or a block of `<value> <role>...`.
func readProfileRoles(r *grammar.Reader, p *Profile) error {
	args := r.RemainingArgs()
	if slices.Contains(args, "") {
		return r.Wrong()
	}
	for _, role := range args {
		if role == "*" {
			p.AnyRole = true
			continue
		}
		giveRoles(p, role, role)
	}
	if len(args) > 0 {
		return nil
	}
	r.Usage = "roles { <value> <role>... }"
	err := r.Table(func(line []string) error {
		if len(line) < 2 {
			return r.Wrong()
		}
		giveRoles(p, line[0], line[1:]...)
		return nil
	})
	if err == nil && len(p.Roles) == 0 {
		return r.Wrong()
	}
	return err
}

// giveRoles adds roles to those that a value gives.
func giveRoles(p *Profile, value string, roles ...string) {
	given := p.Roles[value]
	for _, role := range roles {
		if !slices.Contains(given, role) {
			given = append(given, role)
		}
	}
	grammar.Put(&p.Roles, value, given)
}

// readEmailVerified reads `email_verified assume`.
func readEmailVerified(r *grammar.Reader, p *Profile) error {
	if p.AssumeEmailVerified {
		return r.Again()
	}
	p.AssumeEmailVerified = true
	var word string
	return r.Choice(&word, "assume")
}

// readCreate reads `create members|organizations... [<n>/h]`; the rate is that of
// each kind named on the line.
func readCreate(r *grammar.Reader, p *Profile) error {
	args, err := r.Args(1)
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
func readRate(r *grammar.Reader, text string) (int, error) {
	rate, err := strconv.Atoi(strings.TrimSuffix(text, "/h"))
	if err != nil || rate < 1 {
		return 0, r.Errf("'%s' is not a rate; expected one such as 500/h", text)
	}
	return rate, nil
}

// add allows one kind, at the rate, or 0 for the default.
func (c *Create) add(r *grammar.Reader, kind string, rate int) error {
	allowed, perHour := &c.Members, &c.MembersPerHour
	switch kind {
	case "public":
		c.Public = true
		return nil
	case "members":
	case "organizations":
		allowed, perHour = &c.Organizations, &c.OrganizationsPerHour
	default:
		return r.Unrecognized("kind", kind, "members", "organizations", "public")
	}
	if *allowed {
		return r.Errf("'%s %s' is already given", r.Path, kind)
	}
	*allowed, *perHour = true, rate
	return nil
}

var factorBlock = grammar.Block[Factor]{Name: "factor", Lines: []grammar.Line[Factor]{
	grammar.Flag("second_only", "it adds to a session and never starts one",
		func(f *Factor) *bool { return &f.SecondOnly }),
	grammar.Duration("valid_for", "<duration>", "how long it counts; default while the session lives",
		func(f *Factor) *caddy.Duration { return &f.ValidFor }),
	grammar.Choice("proved", "auth_time|iat|fva", "what says when the proof was given, where there is no auth_time",
		[]string{trust.ProvedAuthTime, trust.ProvedIssuedAt, trust.ProvedAge},
		func(f *Factor) *string { return &f.Proved }),
}}

var profileSessionBlock = grammar.Block[ProfileSession]{Name: "profile session", Lines: []grammar.Line[ProfileSession]{
	grammar.Duration("duration", "<duration>", "in all; default until the token's end",
		func(s *ProfileSession) *caddy.Duration { return &s.Duration }),
	grammar.Duration("idle", "<duration>", "without a request; default until its end",
		func(s *ProfileSession) *caddy.Duration { return &s.Idle }),
}}
