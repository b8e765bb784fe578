package preset

import (
	"regexp"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/trust"
)

// presets are in the order of their names. What is known of an issuer comes from its
// documents; where they were silent it is what its tokens were seen to hold.
var presets = []Preset{
	{
		Name: "apple", About: "Sign in with Apple", Kind: SelfRegistration, Args: []string{"client_id"},
		Lines: lines("issuer https://appleid.apple.com", "jwks_url https://appleid.apple.com/auth/keys", "audience <client_id>", "algorithms RS256",
			// A relay address leads to a person and does not say who it is.
			"map email expression has(claims.email) && !claims.email.endsWith('@privaterelay.appleid.com') ? claims.email : null"),
	},
	{
		Name: "atlassian_forge", About: "Atlassian Forge invocation tokens (Connect is not covered: its qsh binds the URL)", Args: []string{"app_ari"},
		Lines: lines("issuer forge/invocation-token", "jwks_url https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json", "audience <app_ari>",
			"algorithms RS256", "map external_id principal", "organization {claims.context.cloudId}"),
		Rules: []Rule{{"an audience that is the app: ari:cloud:ecosystem::app/…", everyAudience(func(aud string) bool {
			return strings.HasPrefix(aud, "ari:cloud:ecosystem::app/")
		})}},
	},
	{
		Name: "auth0", About: "Auth0, ID or access tokens of one API", Kind: SelfRegistration, Args: []string{"tenant_domain"},
		Lines: lines("issuer https://<tenant_domain>/", "jwks_url https://<tenant_domain>/.well-known/jwks.json", "algorithms RS256", "map name name"),
		Conditions: always("auth0_client_credentials", "!(has(claims.gty) && claims.gty == 'client-credentials') && !claims.sub.endsWith('@clients')",
			"a token of client credentials names a program and not a person; a profile of its own without this preset takes those"),
		Rules: []Rule{{"an audience of your own API: /userinfo and /api/v2/ are Auth0's", everyAudience(func(aud string) bool {
			return !strings.HasSuffix(aud, "/userinfo") && !strings.HasSuffix(aud, "/api/v2/")
		})}},
	},
	{
		Name: "b2c", About: "Microsoft Entra External ID (Azure AD B2C), one user flow", Kind: SelfRegistration, Args: []string{"tenant", "tenant_id", "policy"},
		Lines: lines("issuer https://<tenant>.b2clogin.com/<tenant_id>/v2.0/",
			"jwks_url https://<tenant>.b2clogin.com/<tenant>.onmicrosoft.com/<policy>/discovery/v2.0/keys", "algorithms RS256", "map name name"),
		Conditions: func(a Arguments) []trust.Condition {
			return []trust.Condition{{
				Code: "b2c_policy", When: fold("(has(claims.tfp) && claims.tfp.lowerAscii() == '<policy>') || (has(claims.acr) && claims.acr.lowerAscii() == '<policy>')", Arguments{"policy": strings.ToLower(a["policy"])}),
				Remedy: "tfp or acr must be the user flow of the preset: another one may ask for less",
			}}
		},
	},
	{
		Name: "clerk", About: "Clerk session tokens; audience lists the origins of your apps", Kind: SelfRegistration, Args: []string{"frontend_api", "[impersonation]"},
		Lines: lines("issuer https://<frontend_api>", "jwks_url https://<frontend_api>/.well-known/jwks.json", "algorithms RS256", "session_key sub sid",
			"factor trusted_auth_token {", "\tproved fva", "}"),
		Conditions: func(a Arguments) []trust.Condition {
			all := []trust.Condition{{Code: "clerk_pending", When: "!(has(claims.sts) && claims.sts == 'pending')", Remedy: "the session is pending: its user has not finished what your instance asks for"}}
			if a["impersonation"] != "impersonation" {
				all = append(all, trust.Condition{Code: "clerk_impersonation", When: "!has(claims.act)", Remedy: "somebody acts as this user; preset clerk <frontend_api> impersonation takes such tokens"})
			}
			return all
		},
		Rules: []Rule{
			{"audience <origin>... from azp: the tokens have no aud, and without azp anybody's app will do", func(c trust.Config, _ Arguments) bool { return c.AudienceClaim == "azp" }},
			{"as its second argument nothing or impersonation", func(_ trust.Config, a Arguments) bool {
				return a["impersonation"] == "" || a["impersonation"] == "impersonation"
			}},
		},
	},
	{
		Name: "cloudflare_access", About: "Cloudflare Access", Args: []string{"team", "audience_tag"},
		Lines: lines("issuer https://<team>.cloudflareaccess.com", "jwks_url https://<team>.cloudflareaccess.com/cdn-cgi/access/certs", "audience <audience_tag>", "algorithms RS256",
			"token_from header Cf-Access-Jwt-Assertion"),
		Conditions: always("cloudflare_type", "has(claims.type) && claims.type == 'app'",
			"the token is none of an application's: type must be app"),
		Rules: []Rule{{"map external_id sub, or common_name for service tokens (whose sub is empty)", func(c trust.Config, _ Arguments) bool {
			path, mapped := c.Map[trust.AttributeExternalID]
			return !mapped || path == "sub" || path == "common_name"
		}}},
	},
	{
		Name: "cognito", About: "AWS Cognito user pool, ID or access tokens of one client", Kind: SelfRegistration,
		Args: []string{"region", "pool_id", "client_id", "token_use", "[custom_trusted]"},
		Lines: func(a Arguments) []string {
			audience := "audience <client_id>"
			if a["token_use"] == "access" {
				audience += " from client_id"
			}
			return lines("issuer https://cognito-idp.<region>.amazonaws.com/<pool_id>", "jwks_url https://cognito-idp.<region>.amazonaws.com/<pool_id>/.well-known/jwks.json",
				audience, "algorithms RS256", "map roles cognito:groups")(a)
		},
		Conditions: func(a Arguments) []trust.Condition {
			return []trust.Condition{{Code: "cognito_token_use", When: fold("has(claims.token_use) && claims.token_use == '<token_use>'", a), Remedy: "token_use must be the one that the preset names: the other kind of token is for somebody else"}}
		},
		Rules: []Rule{
			{"as its fourth argument id or access", func(_ trust.Config, a Arguments) bool { return a["token_use"] == "id" || a["token_use"] == "access" }},
			{"roles and organization from other claims than custom:*, which users can write by default; where your clients cannot, end the line with custom_trusted", func(c trust.Config, a Arguments) bool {
				return a["custom_trusted"] == "custom_trusted" || !reads(c, []string{trust.AttributeRoles}, func(path string) bool { return strings.Contains(path, "custom:") })
			}},
		},
	},
	{
		Name: "entra", About: "Microsoft Entra ID: one tenant by its id, or 'organizations' for all", Args: []string{"tenant_id"}, Kind: Customer,
		Lines: func(a Arguments) []string {
			if a["tenant_id"] == "organizations" {
				return []string{"issuer https://login.microsoftonline.com/{tid}/v2.0", "jwks_url https://login.microsoftonline.com/common/discovery/v2.0/keys", "algorithms RS256",
					"map external_id expression claims.tid + ':' + claims.oid", "map name name", "organization {claims.tid}"}
			}
			return lines("issuer https://login.microsoftonline.com/<tenant_id>/v2.0", "jwks_url https://login.microsoftonline.com/<tenant_id>/discovery/v2.0/keys", "algorithms RS256",
				"map external_id expression claims.tid + ':' + claims.oid", "map name name")(a)
		},
		Conditions: func(a Arguments) []trust.Condition {
			all := []trust.Condition{{
				Code: "entra_app_only", When: "!(has(claims.idtyp) && claims.idtyp == 'app') && !(has(claims.sub) && has(claims.oid) && claims.sub == claims.oid) && (has(claims.scp) || has(claims.roles) || has(claims.preferred_username) || has(claims.name))",
				Remedy: "an app-only token names a program and not a person; a profile of its own without this preset takes those",
			}}
			if a["tenant_id"] == "organizations" {
				all = append(all, trust.Condition{Code: "entra_personal", When: "claims.tid != '9188040d-6c67-4c5b-b112-36a304b66dad'", Remedy: "personal Microsoft accounts are a tenant that anybody joins; name it as the preset's tenant to take them"})
			}
			return all
		},
		Rules: []Rule{
			{"no email_domains: email and upn of Entra are not verified and never identify anybody", func(c trust.Config, _ Arguments) bool { return len(c.EmailDomains) == 0 }},
			{"for organizations: for create a condition (require_claims tid=…, or when), or the word public", func(c trust.Config, a Arguments) bool {
				return a["tenant_id"] != "organizations" || guarded(c)
			}},
			{"with several tenants organization {claims.tid}", func(c trust.Config, a Arguments) bool {
				return a["tenant_id"] != "organizations" || strings.HasPrefix(c.Organization, "{claims.tid}")
			}},
		},
	},
	{
		Name: "firebase", About: "Firebase Authentication, one project", Kind: SelfRegistration, Args: []string{"project_id", "[tenant]"},
		Lines: lines("issuer https://securetoken.google.com/<project_id>", "jwks_url https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
			"audience <project_id>", "algorithms RS256", "map name name"),
		Conditions: func(a Arguments) []trust.Condition {
			return []trust.Condition{
				{Code: "firebase_anonymous", When: "claims.firebase.sign_in_provider != 'anonymous'", Remedy: "an anonymous user is nobody"},
				{Code: "firebase_tenant", When: fold("has(claims.firebase.tenant) ? claims.firebase.tenant == '<tenant>' : '<tenant>' == ''", a), Remedy: "the user is of another tenant than the preset names, or of one where it names none"},
			}
		},
		Rules: []Rule{{"an issuer and an audience of one project", func(c trust.Config, _ Arguments) bool {
			return len(c.Issuers) == 1 && len(c.Audiences) == 1 && c.Issuers[0] == "https://securetoken.google.com/"+c.Audiences[0]
		}}},
	},
	{
		Name: "github_actions", About: "GitHub Actions jobs", Kind: Workload,
		Lines: lines("issuer https://token.actions.githubusercontent.com", "jwks_url https://token.actions.githubusercontent.com/.well-known/jwks", "algorithms RS256",
			"map external_id repository_id", "map name repository", "factor github_actions {", "\tproved iat", "}"),
		Conditions: always("github_pull_request_target", "claims.event_name != 'pull_request_target'",
			"pull_request_target runs for whoever opens a pull request"),
		Rules: []Rule{
			{"require_claims repository_id=… or repository_owner_id=…: anybody on GitHub can have a token made, and names can be taken over", func(c trust.Config, _ Arguments) bool {
				return pinsOne(c, "repository_id", "repository_owner_id")
			}},
			{"require_claims for one of ref, environment and job_workflow_ref: else every branch and pull request has the rights", func(c trust.Config, _ Arguments) bool {
				return pinsOne(c, "ref", "environment", "job_workflow_ref")
			}},
		},
	},
	{
		Name: "gitlab_ci", About: "GitLab CI/CD jobs (id_tokens)", Kind: Workload, Args: []string{"[url]"},
		Lines: func(a Arguments) []string {
			url := a["url"]
			if url == "" {
				url = "https://gitlab.com"
			}
			return lines("issuer <url>", "jwks_url <url>/oauth/discovery/keys", "algorithms RS256", "map external_id project_id", "map name project_path", "factor gitlab_ci {", "\tproved iat", "}")(Arguments{"url": url})
		},
		Conditions: always("gitlab_ref_not_protected", "string(claims.ref_protected) == 'true'",
			"the job runs on a ref that is not protected: whoever may push chooses what it does"),
		Rules: []Rule{
			{"require_claims project_id=… or namespace_id=…: anybody on GitLab can have a token made, and paths can be taken over", func(c trust.Config, _ Arguments) bool {
				return pinsOne(c, "project_id", "namespace_id")
			}},
			{"no attribute from user_email: the job is not that person", func(c trust.Config, _ Arguments) bool {
				return !reads(c, nil, func(path string) bool { return strings.Contains(path, "user_email") })
			}},
		},
	},
	{
		Name: "google", About: "Google accounts, ID tokens of one OAuth client", Kind: SelfRegistration, Args: []string{"client_id"},
		Lines: lines("issuer https://accounts.google.com accounts.google.com", "jwks_url https://www.googleapis.com/oauth2/v3/certs", "audience <client_id>", "algorithms RS256",
			"namespace google", "map name name",
			// Google speaks for an address if it is of the account's own Workspace domain, or Gmail's.
			"map email expression has(claims.email) && (has(claims.hd) && claims.email.endsWith('@' + claims.hd) || claims.email.endsWith('@gmail.com')) ? claims.email : null"),
		Rules: []Rule{{"its own mapping of email, which takes only addresses that Google speaks for", func(c trust.Config, _ Arguments) bool {
			_, other := c.Map[trust.AttributeEmail]
			return !other
		}}},
	},
	{
		Name: "google_iap", About: "Google Identity-Aware Proxy, one backend", Args: []string{"audience"},
		Lines: lines("issuer https://cloud.google.com/iap", "jwks_url https://www.gstatic.com/iap/verify/public_key-jwk", "audience <audience>", "algorithms ES256",
			"token_from header X-Goog-Iap-Jwt-Assertion"),
		Conditions: func(Arguments) []trust.Condition {
			return []trust.Condition{
				{Code: "iap_subject", When: "claims.sub.startsWith('accounts.google.com:')", Remedy: "sub must begin with accounts.google.com:"},
				{Code: "iap_external_identity", When: "!has(claims.gcip)", Remedy: "gcip says that this is an external identity, for which Google does not speak"},
			}
		},
		Rules: []Rule{{"the whole audience of the backend: /projects/<number>/global/backendServices/<id> or /projects/<number>/apps/<id>", everyAudience(regexp.MustCompile(
			`^/projects/[0-9]+/(global/backendServices/[0-9]+|apps/[a-z0-9-]+|locations/[a-z0-9-]+/services/[a-z0-9-]+|[a-z0-9-]+/backendServices/[0-9]+)$`).MatchString)}},
	},
	{
		Name: "keycloak", About: "Keycloak, one realm", Args: []string{"url", "realm"},
		Lines: lines("issuer <url>/realms/<realm>", "jwks_url <url>/realms/<realm>/protocol/openid-connect/certs", "algorithms RS256", "map name name", "map roles realm_access.roles"),
		Conditions: always("keycloak_typ", "claims.typ in ['Bearer', 'ID']",
			"the claim typ must be Bearer or ID: refresh, offline and logout tokens are for Keycloak"),
		Rules: []Rule{{"an audience of your own: account is in every token of the realm", everyAudience(func(aud string) bool { return aud != "account" })}},
	},
	{
		Name: "kubernetes", About: "Kubernetes service accounts, projected tokens of one cluster; in_cluster: the one that the gateway runs in, else the keys are for you to name", Kind: Workload, Args: []string{"issuer", "[in_cluster]"},
		Lines: func(a Arguments) []string {
			own := lines("issuer <issuer>", "map external_id kubernetes.io.serviceaccount.uid", "map name sub", "factor kubernetes {", "\tproved iat", "}")(a)
			if a["in_cluster"] != "in_cluster" {
				return own
			}
			const mounted = "/var/run/secrets/kubernetes.io/serviceaccount/"
			return append(own, "jwks_url https://kubernetes.default.svc/openid/v1/jwks {", "\tbearer "+mounted+"token", "\tca "+mounted+"ca.crt", "\tallow_private", "}")
		},
		Rules: []Rule{
			{"as its second argument nothing or in_cluster", func(_ trust.Config, a Arguments) bool {
				return a["in_cluster"] == "" || a["in_cluster"] == "in_cluster"
			}},
			{"an audience of your own: the API server's is in every token", func(c trust.Config, a Arguments) bool {
				return everyAudience(func(aud string) bool {
					return !slices.Contains(c.Issuers, aud) && !strings.HasPrefix(aud, "https://kubernetes.default.svc") && aud != "api"
				})(c, a)
			}},
			{"require_claims kubernetes.io.namespace=… and kubernetes.io.serviceaccount.name=…: every pod of the cluster has a token", func(c trust.Config, _ Arguments) bool {
				return pins(c, "kubernetes.io.namespace") && pins(c, "kubernetes.io.serviceaccount.name")
			}},
			{"the cluster's own issuer: kubernetes/serviceaccount is that of tokens without end", func(c trust.Config, _ Arguments) bool {
				return !slices.Contains(c.Issuers, "kubernetes/serviceaccount")
			}},
		},
	},
	{
		Name: "okta", About: "Okta, one custom authorization server", Args: []string{"org_domain", "server_id"},
		Lines: lines("issuer https://<org_domain>/oauth2/<server_id>", "jwks_url https://<org_domain>/oauth2/<server_id>/v1/keys", "algorithms RS256", "map name name",
			// The sub of an access token is the login, which can change hands.
			"map external_id expression has(claims.uid) ? claims.uid : claims.sub"),
		Conditions: always("okta_client_credentials", "has(claims.uid) || !has(claims.cid) || claims.cid != claims.sub",
			"a token of client credentials names a program and not a person"),
		Rules: []Rule{{"a custom authorization server (/oauth2/<id>): access tokens of the org server are for Okta alone", func(c trust.Config, _ Arguments) bool {
			return !slices.ContainsFunc(c.Issuers, func(iss string) bool { return !strings.Contains(iss, "/oauth2/") })
		}}},
	},
	{
		Name: "shopify", About: "Shopify session tokens of one app, for all shops (keys: shared_secret with the app's secret)", Args: []string{"client_id"},
		Lines: lines("issuer https://{shop}.myshopify.com/admin", "audience <client_id>", "organization {claims.shop}",
			// They live for a minute, and a visit longer.
			"session_key sub sid"),
		Conditions: always("shopify_shop", "claims.iss == claims.dest + '/admin'", "dest and iss must be of one shop"),
		Rules: []Rule{{"the issuer of shops: tokens of iss shopify are of another kind", func(c trust.Config, _ Arguments) bool {
			return !slices.Contains(c.Issuers, "shopify")
		}}},
	},
	{
		Name: "slack", About: "Sign in with Slack", Kind: SelfRegistration, Args: []string{"client_id"},
		Lines: lines("issuer https://slack.com", "jwks_url https://slack.com/openid/connect/keys", "audience <client_id>", "algorithms RS256",
			"map external_id https://slack.com/user_id", "map name name"),
		Rules: []Rule{{"require_claims https://slack.com/team_id=…, or organization {claims.https://slack.com/team_id} without email_domains: anybody opens a workspace and says what its people's addresses are", func(c trust.Config, _ Arguments) bool {
			const team = "https://slack.com/team_id"
			return pins(c, team) || len(c.EmailDomains) == 0 && strings.HasPrefix(c.Organization, "{claims."+team+"}")
		}}},
	},
	{
		Name: "spiffe", About: "SPIFFE JWT-SVIDs of one trust domain (keys: a jwks_url or jwks_file of its bundle)", Kind: Workload, Args: []string{"trust_domain"},
		Lines: lines("issuer none sub spiffe://<trust_domain>/", "factor spiffe {", "\tproved iat", "}"),
		Rules: []Rule{{"the trust domain fixed: a prefix of sub that ends in /", func(c trust.Config, a Arguments) bool {
			return strings.HasPrefix(c.SubjectPrefix, "spiffe://"+a["trust_domain"]+"/") && strings.HasSuffix(c.SubjectPrefix, "/") ||
				len(c.Issuers) > 0 && slices.ContainsFunc(c.When, func(when string) bool { return strings.Contains(when, "spiffe://"+a["trust_domain"]+"/") })
		}}},
	},
	{
		Name: "stytch", About: "session JWTs of Stytch itself, while you move", Args: []string{"project_id"},
		Lines: func(a Arguments) []string {
			host := "api.stytch.com"
			if strings.HasPrefix(a["project_id"], "project-test-") {
				host = "test.stytch.com"
			}
			return lines("issuer stytch.com/<project_id>", "jwks_url https://<host>/v1/b2b/sessions/jwks/<project_id>", "audience <project_id>", "algorithms RS256",
				"map external_id sub", "map token_id https://stytch.com/session.id")(Arguments{"project_id": a["project_id"], "host": host})
		},
	},
	{
		Name: "supabase", About: "Supabase Auth, one project with asymmetric keys", Kind: SelfRegistration, Args: []string{"project_ref"},
		Lines: lines("issuer https://<project_ref>.supabase.co/auth/v1", "jwks_url https://<project_ref>.supabase.co/auth/v1/.well-known/jwks.json", "audience authenticated",
			"algorithms ES256 RS256", "session_key sub session_id"),
		Conditions: func(Arguments) []trust.Condition {
			return []trust.Condition{
				{Code: "supabase_role", When: "claims.role == 'authenticated'", Remedy: "role must be authenticated: keys of the project are JWTs of its issuer too"},
				{Code: "supabase_anonymous", When: "!(has(claims.is_anonymous) && claims.is_anonymous == true)", Remedy: "an anonymous user is nobody"},
			}
		},
		Rules: []Rule{
			{"no attribute, organization or session key from user_metadata, which users write themselves (app_metadata is the project's)", func(c trust.Config, _ Arguments) bool {
				user := func(path string) bool { return strings.Contains(path, "user_metadata") }
				return !reads(c, nil, user) && !slices.ContainsFunc(c.SessionKey, user)
			}},
			{"no email_verified assume: Supabase does not say who has shown that an address is theirs", func(c trust.Config, _ Arguments) bool { return !c.AssumeEmailVerified }},
		},
	},
	{
		Name: "vercel_marketplace", About: "Vercel Marketplace, tokens of users or of the system itself", Args: []string{"integration_id", "of"},
		Lines: func(a Arguments) []string {
			who := []string{"map external_id user_id", "map name user_name", "map email user_email", "map roles user_role", "when has(claims.user_id)"}
			if a["of"] == "system" {
				who = []string{"map external_id account_id", "when !has(claims.user_id)"}
			}
			return append(lines("issuer https://marketplace.vercel.com", "jwks_url https://marketplace.vercel.com/.well-known/jwks", "audience <integration_id>", "algorithms RS256",
				"organization {claims.installation_id}")(a), who...)
		},
		Conditions: func(a Arguments) []trust.Condition {
			kind := trust.Condition{Code: "vercel_token_of_system", When: "has(claims.user_id)", Remedy: "this is a token of the system; vercel_marketplace <integration_id> system takes it, on the same route if you like"}
			if a["of"] == "system" {
				kind = trust.Condition{Code: "vercel_token_of_user", When: "!has(claims.user_id)", Remedy: "this is a user's token; vercel_marketplace <integration_id> user takes it, on the same route if you like"}
			}
			return []trust.Condition{kind, {Code: "vercel_installation", When: "has(claims.installation_id) && claims.installation_id != null", Remedy: "installation_id must be there: it is the organization"}}
		},
		Rules: []Rule{
			{"as its second argument user or system", func(_ trust.Config, a Arguments) bool { return a["of"] == "user" || a["of"] == "system" }},
			{"require_claims type=id_token or type=access_token: which kind of token comes is for you to say", func(c trust.Config, _ Arguments) bool { return pins(c, "type") }},
			{"organization {claims.installation_id}", func(c trust.Config, _ Arguments) bool {
				return strings.HasPrefix(c.Organization, "{claims.installation_id}")
			}},
		},
	},
	{
		Name: "vercel_oidc", About: "Vercel deployments (OIDC federation), of a team's issuer or the global one", Kind: Workload, Args: []string{"[team]"},
		Lines: func(a Arguments) []string {
			issuer := "https://oidc.vercel.com"
			if a["team"] != "" {
				issuer += "/" + a["team"]
			}
			return []string{"issuer " + issuer, "jwks_url " + issuer + "/.well-known/jwks", "algorithms RS256", "map external_id project_id", "map name project", "factor vercel_oidc {", "\tproved iat", "}", "token_from header X-Vercel-Oidc-Token"}
		},
		Conditions: always("vercel_environment", "claims.environment == 'production'", "the deployment is no production one: whoever opens a pull request may deploy a preview"),
		Rules: []Rule{
			{"an audience of your own, or require_claims owner_id=… and project_id=…: the default audience is one for all receivers", func(c trust.Config, a Arguments) bool {
				own := everyAudience(func(aud string) bool { return !strings.HasPrefix(aud, "https://vercel.com/") })(c, a)
				return own || pins(c, "owner_id") && pins(c, "project_id")
			}},
			{"with the global issuer require_claims owner_id=…: anybody on Vercel has its tokens", func(c trust.Config, _ Arguments) bool {
				return !slices.Contains(c.Issuers, "https://oidc.vercel.com") || pins(c, "owner_id")
			}},
			{"a condition: require_claims project_id=… or owner_id=…", func(c trust.Config, _ Arguments) bool { return pinsOne(c, "project_id", "owner_id") }},
		},
	},
	{
		Name: "zendesk", About: "Zendesk apps (ZAF) with signed URLs: the form that opens one installation of an app; keys are its public key as PEM",
		Args: []string{"subdomain", "installation_id", "path"},
		Lines: lines("issuer <subdomain>.zendesk.com", "audience https://<subdomain>.zendesk.com/api/v2/apps/installations/<installation_id>.json", "algorithms RS256",
			// sub is the address of the user.
			"map external_id expression claims.sub.split('/')[6].replace('.json', '')",
			"token_from form token at <path> from https://<subdomain>.zendesk.com", "max_token_age 60s", "replay reject"),
		Conditions: func(a Arguments) []trust.Condition {
			return []trust.Condition{{Code: "zendesk_user", When: fold("claims.sub.matches('^https://<subdomain>[.]zendesk[.]com/api/v2/users/[0-9]+[.]json$')", a), Remedy: "sub must be the address of a user of this account"}}
		},
		Rules: []Rule{
			{"token_from form from the account's own origin alone", func(c trust.Config, a Arguments) bool {
				return c.TokenFrom == (trust.Place{}) || c.TokenFrom.Form != "" && c.TokenFrom.From == "https://"+a["subdomain"]+".zendesk.com"
			}},
			{"as its first argument the account's subdomain alone, and the number of the installation as its second", func(_ trust.Config, a Arguments) bool {
				return zendeskForm.MatchString(a["subdomain"] + " " + a["installation_id"])
			}},
			{"an audience that is the installation: another app of the account is signed for another", everyAudience(func(aud string) bool {
				return zendeskAudience.MatchString(aud)
			})},
		},
	},
	{
		Name: "zitadel", About: "ZITADEL, one instance; roles of the token's own organization only", Args: []string{"domain"},
		Lines: lines("issuer https://<domain>", "jwks_url https://<domain>/oauth/v2/keys", "algorithms RS256", "map name name",
			"map roles expression claims['urn:zitadel:iam:org:project:roles'].filter(r, claims['urn:zitadel:iam:user:resourceowner:id'] in claims['urn:zitadel:iam:org:project:roles'][r])"),
		Rules: []Rule{{"its own mapping of roles: the plain claim holds those of every organization", func(c trust.Config, _ Arguments) bool {
			_, other := c.Map[trust.AttributeRoles]
			return !other
		}}},
	},
}

var (
	zendeskForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62} [0-9]{1,20}$`)
	zendeskAudience = regexp.MustCompile(`^https://[a-z0-9-]+\.zendesk\.com/api/v2/apps/installations/[0-9]+\.json$`)
)

// lines are those of a preset, with its arguments in them.
func lines(texts ...string) func(Arguments) []string {
	return func(a Arguments) []string {
		out := make([]string, len(texts))
		for i, text := range texts {
			out[i] = fold(text, a)
		}
		return out
	}
}

// fold puts the arguments into a text. They hold no < and no quote.
func fold(text string, a Arguments) string {
	for name, value := range a {
		text = strings.ReplaceAll(text, "<"+name+">", value)
	}
	return unused.ReplaceAllString(text, "")
}

// unused is an argument that was left out.
var unused = regexp.MustCompile(`<[a-z_]+>`)

func always(code, when, remedy string) func(Arguments) []trust.Condition {
	return func(Arguments) []trust.Condition { return []trust.Condition{{Code: code, When: when, Remedy: remedy}} }
}

func everyAudience(is func(string) bool) func(trust.Config, Arguments) bool {
	return func(c trust.Config, _ Arguments) bool {
		return !slices.ContainsFunc(c.Audiences, func(aud string) bool { return !is(aud) })
	}
}
