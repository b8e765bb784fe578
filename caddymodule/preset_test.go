package caddymodule

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/preset"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// A presetCase is how a preset is used, what its issuer's tokens hold, and what must not
// pass.
type presetCase struct {
	use    string
	claims trusttest.Claims
	is     string                      // the external id
	bad    map[string]trusttest.Claims // by code: what of the good token is otherwise
	breaks map[string][2]string        // by what the error says: a text of use, and what stands in its place
}

const pinned = "require_claims hd=example.com"

var presetCases = map[string]presetCase{
	"apple": {
		use:    "preset apple com.example.app\ncreate members public\norganization apple\nemail_domains *",
		claims: trusttest.Claims{"iss": "https://appleid.apple.com", "aud": "com.example.app", "sub": "001.abc", "email": "x@privaterelay.appleid.com", "email_verified": "true"}, is: "001.abc",
		breaks: map[string][2]string{"anybody can register": {" public", ""}},
	},
	"atlassian_forge": {
		use:    "preset atlassian_forge ari:cloud:ecosystem::app/1",
		claims: trusttest.Claims{"iss": "forge/invocation-token", "aud": "ari:cloud:ecosystem::app/1", "sub": nil, "principal": "acc-1", "context": map[string]any{"cloudId": "c-1"}}, is: "acc-1",
		breaks: map[string][2]string{"an audience that is the app": {"preset atlassian_forge ari:cloud:ecosystem::app/1", "preset atlassian_forge other"}},
	},
	"auth0": {
		use:    "preset auth0 acme.eu.auth0.com\naudience https://api.acme.test\ncreate members\norganization a\nrequire_claims org_id=org_1",
		claims: trusttest.Claims{"iss": "https://acme.eu.auth0.com/", "aud": []any{"https://api.acme.test", "https://acme.eu.auth0.com/userinfo"}, "sub": "auth0|1", "org_id": "org_1"}, is: "auth0|1",
		bad:    map[string]trusttest.Claims{"auth0_client_credentials": {"gty": "client-credentials"}},
		breaks: map[string][2]string{"an audience of your own API": {"https://api.acme.test", "https://acme.eu.auth0.com/userinfo"}, "anybody can register": {"\nrequire_claims org_id=org_1", ""}},
	},
	"b2c": {
		use:    "preset b2c acme 11111111-1111-1111-1111-111111111111 B2C_1_signin\naudience app\ncreate members public\norganization a",
		claims: trusttest.Claims{"iss": "https://acme.b2clogin.com/11111111-1111-1111-1111-111111111111/v2.0/", "aud": "app", "tfp": "B2C_1_signin", "sub": "u"}, is: "u",
		bad:    map[string]trusttest.Claims{"b2c_policy": {"tfp": "B2C_1_reset"}},
		breaks: map[string][2]string{"anybody can register": {" public", ""}},
	},
	"clerk": {
		use:    "preset clerk clerk.acme.test\naudience https://app.acme.test from azp\ncreate members public\norganization a",
		claims: trusttest.Claims{"iss": "https://clerk.acme.test", "azp": "https://app.acme.test", "aud": nil, "sub": "user_1", "sid": "sess_1", "sts": "active"}, is: "user_1",
		bad:    map[string]trusttest.Claims{"clerk_pending": {"sts": "pending"}, "clerk_impersonation": {"act": map[string]any{"sub": "x"}}, "audience_missing": {"azp": nil}},
		breaks: map[string][2]string{"from azp": {" from azp", ""}, "nothing or impersonation": {"clerk.acme.test", "clerk.acme.test other"}, "anybody can register": {" public", ""}},
	},
	"cloudflare_access": {
		use:    "preset cloudflare_access acme 0a1b",
		claims: trusttest.Claims{"iss": "https://acme.cloudflareaccess.com", "aud": []any{"0a1b"}, "type": "app", "sub": "u"}, is: "u",
		bad:    map[string]trusttest.Claims{"cloudflare_type": {"type": "org"}, "identity_missing": {"sub": ""}},
		breaks: map[string][2]string{"common_name for service tokens": {"0a1b", "0a1b\nmap external_id email"}},
	},
	"cognito": {
		use:    "preset cognito eu-west-1 eu-west-1_X client1 access\nroles admin\ncreate members\norganization a\nrequire_claims scope=api",
		claims: trusttest.Claims{"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X", "aud": nil, "client_id": "client1", "token_use": "access", "sub": "u", "scope": "api", "cognito:groups": []any{"admin"}}, is: "u",
		bad:    map[string]trusttest.Claims{"cognito_token_use": {"token_use": "id"}},
		breaks: map[string][2]string{"id or access": {"client1 access", "client1 both"}, "custom:*": {"roles admin", "roles admin\nmap roles custom:roles"}, "anybody can register": {"\nrequire_claims scope=api", ""}},
	},
	"entra": {
		use:    "preset entra organizations\naudience app\ncreate members organizations public",
		claims: trusttest.Claims{"iss": "https://login.microsoftonline.com/t1/v2.0", "tid": "t1", "oid": "o1", "aud": "app", "name": "Ada"}, is: "t1:o1",
		bad:    map[string]trusttest.Claims{"entra_app_only": {"idtyp": "app"}, "entra_personal": {"iss": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}},
		breaks: map[string][2]string{"no email_domains": {"audience app", "audience app\nemail_domains *"}, "for organizations: for create": {" public", ""}, "must begin with {claims.tid}": {"audience app", "audience app\norganization fixed"}},
	},
	"firebase": {
		use:    "preset firebase acme-app\ncreate members public\norganization a",
		claims: trusttest.Claims{"iss": "https://securetoken.google.com/acme-app", "aud": "acme-app", "sub": "u", "firebase": map[string]any{"sign_in_provider": "password"}}, is: "u",
		bad: map[string]trusttest.Claims{
			"firebase_anonymous": {"firebase": map[string]any{"sign_in_provider": "anonymous"}},
			"firebase_tenant":    {"firebase": map[string]any{"sign_in_provider": "password", "tenant": "t"}},
		},
		breaks: map[string][2]string{"of one project": {"organization a", "organization a\naudience other"}, "anybody can register": {" public", ""}},
	},
	"github_actions": {
		use:    "preset github_actions\naudience https://deploy.acme.test\nrequire_claims repository_id=7 ref=refs/heads/main\ncreate members\norganization ci",
		claims: trusttest.Claims{"iss": "https://token.actions.githubusercontent.com", "aud": "https://deploy.acme.test", "sub": "repo:acme/api:ref:refs/heads/main", "repository_id": "7", "repository": "acme/api", "ref": "refs/heads/main", "event_name": "push"}, is: "7",
		bad:    map[string]trusttest.Claims{"github_pull_request_target": {"event_name": "pull_request_target"}, "claim_mismatch": {"repository_id": "8"}},
		breaks: map[string][2]string{"repository_id=… or repository_owner_id=…": {"repository_id=7", "repository=acme"}, "one of ref, environment and job_workflow_ref": {"ref=refs/heads/main", "actor=ada"}},
	},
	"gitlab_ci": {
		use:    "preset gitlab_ci\naudience deploy\nrequire_claims project_id=7",
		claims: trusttest.Claims{"iss": "https://gitlab.com", "aud": "deploy", "sub": "project_path:a/b", "project_id": "7", "project_path": "a/b", "ref_protected": "true"}, is: "7",
		bad:    map[string]trusttest.Claims{"gitlab_ref_not_protected": {"ref_protected": "false"}},
		breaks: map[string][2]string{"project_id=… or namespace_id=…": {"project_id=7", "project_path=a"}, "no attribute from user_email": {"audience deploy", "audience deploy\nmap email user_email"}},
	},
	"google": {
		use:    "preset google client.apps.googleusercontent.com\nemail_domains example.com\ncreate members\norganization a\n" + pinned,
		claims: trusttest.Claims{"iss": "accounts.google.com", "aud": "client.apps.googleusercontent.com", "sub": "1", "hd": "example.com", "email": "ada@example.com", "email_verified": true}, is: "1",
		bad:    map[string]trusttest.Claims{"claim_mismatch": {"hd": "other.example"}},
		breaks: map[string][2]string{"anybody can register": {pinned, ""}, "its own mapping of email": {pinned, pinned + "\nmap email email"}},
	},
	"google_iap": {
		use:    "preset google_iap /projects/1/global/backendServices/2",
		claims: trusttest.Claims{"iss": "https://cloud.google.com/iap", "aud": "/projects/1/global/backendServices/2", "sub": "accounts.google.com:1"}, is: "accounts.google.com:1",
		bad:    map[string]trusttest.Claims{"iap_subject": {"sub": "securetoken.google.com/x:1"}, "iap_external_identity": {"gcip": map[string]any{}}},
		breaks: map[string][2]string{"the whole audience": {"/projects/1/global/backendServices/2", "/projects/1"}},
	},
	"keycloak": {
		use:    "preset keycloak https://id.acme.test acme\naudience app\nroles editor",
		claims: trusttest.Claims{"iss": "https://id.acme.test/realms/acme", "aud": []any{"app", "account"}, "sub": "u", "typ": "Bearer", "realm_access": map[string]any{"roles": []any{"editor"}}}, is: "u",
		bad:    map[string]trusttest.Claims{"keycloak_typ": {"typ": "Refresh"}},
		breaks: map[string][2]string{"account is in every token": {"audience app", "audience account"}},
	},
	"kubernetes": {
		use:    "preset kubernetes https://oidc.cluster.test\njwks_url https://10.0.0.1/openid/v1/jwks {\nbearer /var/run/token\nallow_private\n}\naudience vault\nrequire_claims kubernetes.io.namespace=prod kubernetes.io.serviceaccount.name=api",
		claims: trusttest.Claims{"iss": "https://oidc.cluster.test", "aud": []any{"vault"}, "sub": "system:serviceaccount:prod:api", "kubernetes.io": map[string]any{"namespace": "prod", "serviceaccount": map[string]any{"name": "api", "uid": "uid-1"}}}, is: "uid-1",
		bad:    map[string]trusttest.Claims{"claim_mismatch": {"kubernetes.io": map[string]any{"namespace": "dev", "serviceaccount": map[string]any{"name": "api", "uid": "uid-1"}}}},
		breaks: map[string][2]string{"nothing or in_cluster": {"oidc.cluster.test\njwks", "oidc.cluster.test outside\njwks"}, "an audience of your own": {"audience vault", "audience https://oidc.cluster.test"}, "every pod of the cluster": {"kubernetes.io.namespace=prod ", ""}, "tokens without end": {"https://oidc.cluster.test", "kubernetes/serviceaccount"}},
	},
	"okta": {
		use:    "preset okta acme.okta.com default\naudience api://default",
		claims: trusttest.Claims{"iss": "https://acme.okta.com/oauth2/default", "aud": "api://default", "sub": "ada@acme.test", "uid": "00u1", "cid": "c"}, is: "00u1",
		bad:    map[string]trusttest.Claims{"okta_client_credentials": {"uid": nil, "sub": "c"}},
		breaks: map[string][2]string{"a custom authorization server": {"audience api://default", "audience api://default\nissuer https://acme.okta.com"}},
	},
	"shopify": {
		use:    "preset shopify client1\nshared_secret 0123456789abcdef0123456789abcdef\ncreate members organizations",
		claims: trusttest.Claims{"iss": "https://acme.myshopify.com/admin", "dest": "https://acme.myshopify.com", "aud": "client1", "sub": "1", "sid": "s"}, is: "1",
		bad:    map[string]trusttest.Claims{"shopify_shop": {"dest": "https://other.myshopify.com"}},
		breaks: map[string][2]string{"of another kind": {"create", "issuer shopify\norganization fixed\ncreate"}},
	},
	"slack": {
		use:    "preset slack 1.2\norganization {claims.https://slack.com/team_id}\ncreate members organizations public",
		claims: trusttest.Claims{"iss": "https://slack.com", "aud": "1.2", "https://slack.com/user_id": "U1", "https://slack.com/team_id": "T1"}, is: "U1",
		breaks: map[string][2]string{"anybody opens a workspace": {" public", " public\nemail_domains *"}, "anybody can register": {" public", ""}},
	},
	"spiffe": {
		use:    "preset spiffe acme.test\naudience vault\njwks_url https://spire.acme.test/keys",
		claims: trusttest.Claims{"iss": nil, "aud": []any{"vault"}, "sub": "spiffe://acme.test/api"}, is: "spiffe://acme.test/api",
		bad:    map[string]trusttest.Claims{"issuer_mismatch": {"sub": "spiffe://acme.test.evil/api"}},
		breaks: map[string][2]string{"the trust domain fixed": {"audience vault", "audience vault\nissuer none sub spiffe://acme"}},
	},
	"stytch": {
		use:    "preset stytch project-live-1",
		claims: trusttest.Claims{"iss": "stytch.com/project-live-1", "aud": []any{"project-live-1"}, "sub": "member-1", "https://stytch.com/session": map[string]any{"id": "session-1"}}, is: "member-1",
	},
	"supabase": {
		use:    "preset supabase abc\ncreate members public\norganization a",
		claims: trusttest.Claims{"iss": "https://abc.supabase.co/auth/v1", "aud": "authenticated", "sub": "u", "role": "authenticated", "is_anonymous": false, "session_id": "s"}, is: "u",
		bad:    map[string]trusttest.Claims{"supabase_role": {"role": "anon"}, "supabase_anonymous": {"is_anonymous": true}},
		breaks: map[string][2]string{"user_metadata": {"organization a", "organization a\nmap name user_metadata.name"}, "no email_verified assume": {"organization a", "organization a\nemail_domains *\nemail_verified assume"}, "anybody can register": {" public", ""}},
	},
	"vercel_marketplace": {
		use:    "preset vercel_marketplace oac_1 user\nrequire_claims type=id_token\ncreate members organizations",
		claims: trusttest.Claims{"iss": "https://marketplace.vercel.com", "aud": "oac_1", "sub": "account:a:user:u", "user_id": "u", "installation_id": "icfg_1", "type": "id_token"}, is: "u",
		bad:    map[string]trusttest.Claims{"condition_failed": {"user_id": nil}, "claim_mismatch": {"type": "access_token"}, "vercel_installation": {"installation_id": nil}},
		breaks: map[string][2]string{"user or system": {"oac_1 user", "oac_1 both"}, "require_claims type": {"require_claims type=id_token", ""}, "organization {claims.installation_id}": {"create", "organization fixed\ncreate"}},
	},
	"vercel_oidc": {
		use:    "preset vercel_oidc\naudience https://vercel.com/acme\nrequire_claims owner_id=t1 project_id=p1",
		claims: trusttest.Claims{"iss": "https://oidc.vercel.com", "aud": "https://vercel.com/acme", "sub": "owner:a:project:b", "owner_id": "t1", "project_id": "p1", "environment": "production"}, is: "p1",
		bad:    map[string]trusttest.Claims{"vercel_environment": {"environment": "preview"}},
		breaks: map[string][2]string{"an audience of your own": {"owner_id=t1 ", ""}, "with the global issuer": {"https://vercel.com/acme\nrequire_claims owner_id=t1", "own\nrequire_claims"}, "require_claims project_id=… or owner_id=…": {"preset vercel_oidc\naudience https://vercel.com/acme\nrequire_claims owner_id=t1 project_id=p1", "preset vercel_oidc acme\naudience own"}},
	},
	"zendesk": {
		use:    "preset zendesk acme 42 /sidebar\npublic_key_file app.pem\norganization acme",
		claims: trusttest.Claims{"iss": "acme.zendesk.com", "aud": "https://acme.zendesk.com/api/v2/apps/installations/42.json", "sub": "https://acme.zendesk.com/api/v2/users/7.json", "jti": "1"}, is: "7",
		bad: map[string]trusttest.Claims{
			"zendesk_user":      {"sub": "https://other.zendesk.com/api/v2/users/7.json"},
			"audience_mismatch": {"aud": "https://acme.zendesk.com/api/v2/apps/installations/43.json"}, "issuer_mismatch": {"iss": "https://acme.zendesk.com"},
		},
		breaks: map[string][2]string{
			"the account's own origin alone": {"organization acme", "organization acme\ntoken_from header X-Token"}, "the number of the installation": {"acme 42", "acme x"},
			"an audience that is the installation": {"organization acme", "organization acme\naudience https://acme.zendesk.com"},
		},
	},
	"zitadel": {
		use: "preset zitadel acme.zitadel.cloud\naudience app\nroles admin",
		claims: trusttest.Claims{"iss": "https://acme.zitadel.cloud", "aud": []any{"app"}, "sub": "1", "urn:zitadel:iam:user:resourceowner:id": "o1",
			"urn:zitadel:iam:org:project:roles": map[string]any{"admin": map[string]any{"o1": "acme"}, "owner": map[string]any{"o2": "x"}}}, is: "1",
		breaks: map[string][2]string{"its own mapping of roles": {"roles admin", "roles admin\nmap roles urn:zitadel:iam:org:project:roles"}},
	},
}

// presetProfile is the profile that a Caddyfile with these lines makes, as it is loaded.
func presetProfile(t *testing.T, use string, key func(alg string) trust.KeySource) (*trust.Profile, error) {
	t.Helper()
	text := "attest {\nissuer https://gateway.test\nprofile p {\n" + use + "\n}\n}"
	tokens, err := caddyfile.Tokenize([]byte(text), "Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	app := new(App)
	if err := app.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
		return nil, err
	}
	c := app.Profiles["p"].trusted("p")
	c.Keys = key(append(c.Algorithms, "ES256")[0]) // a public key too where the preset has a secret
	return trust.NewProfile(c)
}

// Each preset: its lines load and take a token of the issuer's shape; a token that breaks
// one condition is refused by it alone; and without what it needs it does not load.
func TestPresets(t *testing.T) {
	for _, name := range preset.Names() {
		c, tested := presetCases[name]
		if !tested {
			t.Errorf("preset %s is not tested", name)
			continue
		}
		t.Run(name, func(t *testing.T) { c.run(t, name) })
	}
}

func (c presetCase) run(t *testing.T, name string) {
	var signer trusttest.Key
	keys := func(alg string) trust.KeySource {
		signer = trusttest.NewKey(t, alg)
		source, err := trust.PEMKeys(signer.PEM(t))
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	p, err := presetProfile(t, c.use, keys)
	if err != nil {
		t.Fatal(err)
	}
	token := func(other trusttest.Claims) string {
		all := trusttest.Claims{"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()}
		for _, claims := range []trusttest.Claims{c.claims, other} {
			for claim, value := range claims {
				if all[claim] = value; value == nil {
					delete(all, claim)
				}
			}
		}
		return trusttest.Sign(t, signer, all)
	}
	id, err := p.Verify(t.Context(), token(nil))
	if err != nil || id.ExternalID != c.is {
		t.Fatalf("%v, %v", id, err)
	}
	for code, other := range c.bad {
		_, err := p.Verify(t.Context(), token(other))
		var refused *trust.Refusal
		if !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, condition := range p.Config().Conditions {
		if _, tested := c.bad[condition.Code]; !tested && condition.Code != "vercel_token_of_system" { // the when comes first
			t.Errorf("no token breaks %s", condition.Code)
		}
	}
	for says, change := range c.breaks {
		if !strings.Contains(c.use, change[0]) {
			t.Errorf("%q does not stand in the use", change[0])
		}
		if _, err := presetProfile(t, strings.Replace(c.use, change[0], change[1], 1), keys); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "Caddyfile:") {
			t.Errorf("without %q: %v", says, err)
		}
	}
	found, _ := preset.Find(name)
	rules := len(found.Rules)
	if found.Kind == preset.SelfRegistration {
		rules++
	}
	if len(c.breaks) < rules {
		t.Errorf("%d of %d rules are tested", len(c.breaks), rules)
	}
}

func TestPresetOfTheOwnCluster(t *testing.T) {
	tokens, _ := caddyfile.Tokenize([]byte("attest {\nissuer https://gateway.test\nprofile p {\npreset kubernetes https://oidc.test in_cluster\naudience vault\nrequire_claims kubernetes.io.namespace=a kubernetes.io.serviceaccount.name=b\n}\n}"), "Caddyfile")
	app := new(App)
	if err := app.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
		t.Fatal(err)
	}
	if u := app.Profiles["p"].JWKSURL; u == nil || !u.AllowPrivate || u.Bearer == "" || u.CA == "" {
		t.Errorf("%+v", u)
	}
}

// Without a preset a public issuer takes a condition too.
func TestPublicIssuersWithoutPreset(t *testing.T) {
	keys := func(alg string) trust.KeySource {
		source, err := trust.PEMKeys(trusttest.NewKey(t, "RS256").PEM(t))
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	for _, issuer := range []string{
		"https://token.actions.githubusercontent.com", "https://gitlab.com", "https://oidc.vercel.com", "https://accounts.google.com", "accounts.google.com", "https://appleid.apple.com",
		"https://securetoken.google.com/p", "https://x.supabase.co/auth/v1", "https://cognito-idp.eu-west-1.amazonaws.com/p", "https://x.clerk.accounts.dev", "https://x.auth0.com/", "https://slack.com",
		"https://x.b2clogin.com/t/v2.0/", "https://login.microsoftonline.com/{tid}/v2.0",
	} {
		lines := "issuer " + issuer + "\naudience app\njwks_url https://keys.test/\norganization a\ncreate members\nalgorithms RS256"
		if strings.Contains(issuer, "{tid}") {
			lines = strings.Replace(lines, "organization a", "organization {claims.tid}", 1)
		}
		if _, err := presetProfile(t, lines, keys); err == nil || !strings.Contains(err.Error(), "anybody can") || !strings.Contains(err.Error(), "preset ") {
			t.Errorf("%s: %v", issuer, err)
		}
		for _, condition := range []string{"\nrequire_claims owner=x", "\nwhen claims.owner == 'x'"} {
			if _, err := presetProfile(t, lines+condition, keys); err != nil {
				t.Errorf("%s with %q: %v", issuer, condition, err)
			}
		}
	}
}

// A line of the profile replaces the preset's, attribute by attribute, and no line undoes
// a condition.
func TestPresetLinesAreOverridden(t *testing.T) {
	tokens, _ := caddyfile.Tokenize([]byte("attest {\nissuer https://gateway.test\nprofile p {\npreset keycloak https://id.acme.test acme\naudience app\njwks_file /etc/attest/keys.json\nmap name preferred_username\nalgorithms ES256\n}\n}"), "Caddyfile")
	app := new(App)
	if err := app.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
		t.Fatal(err)
	}
	p := app.Profiles["p"]
	c := p.trusted("p")
	if p.JWKSURL != nil || p.JWKSFile != "/etc/attest/keys.json" || p.Map["name"] != "preferred_username" || !slices.Equal(p.Algorithms, []string{"ES256"}) || !slices.Equal(p.Issuers, []string{"https://id.acme.test/realms/acme"}) {
		t.Errorf("%+v", p)
	}
	if len(c.Conditions) != 1 || p.Map["roles"] != "" {
		t.Errorf("conditions %v, map %v", c.Conditions, p.Map)
	}
}

// What is printed of a preset can be written in its place.
func TestPresetsPrintTheirLines(t *testing.T) {
	for _, name := range preset.Names() {
		found, _ := preset.Find(name)
		args := preset.Arguments{}
		for _, a := range found.Args {
			args[strings.Trim(a, "[]")] = "x"
		}
		if _, err := presetLines(found.TextOf(args)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const presetsHead = "# Presets\n\n" +
	"Issuers that many people trust, with the lines of a profile that stand for each. Made from what the\n" +
	"gateway knows; `caddy attest preset show <name> [<argument>...]` prints the same in a terminal.\n\n" +
	"```\nprofile ci {\n\tpreset github_actions\n\taudience https://deploy.example.com\n\trequire_claims repository_id=123456 ref=refs/heads/main\n\torganization ci\n\tcreate members organizations\n}\n```\n\n" +
	"A line of the profile replaces the preset's, attributes one by one; `require_claims` and `when` add\n" +
	"up. What is marked *always* is checked for every token and cannot be overridden: its code is the\n" +
	"reason of the refusal. What is marked *needs* is checked when the configuration is read. An\n" +
	"issuer with whom anybody can register takes a condition for `create`, or the word `public`, with a\n" +
	"preset or without. A Caddyfile's JSON (`caddy adapt`) holds the lines themselves.\n"

// The page of presets is made from the presets.
func TestPresetsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(presetsHead)
	for _, name := range preset.Names() {
		found, _ := preset.Find(name)
		args := preset.Arguments{}
		for _, a := range found.Args {
			if !strings.HasPrefix(a, "[") {
				args[a] = strings.ToUpper(a)
			}
		}
		fmt.Fprintf(&page, "\n## `%s`\n\n%s\n```\n%s\n```\n", found.Usage(), strings.ReplaceAll(wrapped(found.About+"."), "\n  ", "\n"), strings.Join(found.Lines(args), "\n"))
		found.Lines = func(preset.Arguments) []string { return nil }
		for i, line := range found.TextOf(args) {
			if i == 0 {
				page.WriteString("\n")
			}
			kind, text, _ := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
			if code := text[strings.LastIndex(text, "(")+1:]; kind == "always" {
				text = "`" + strings.TrimSuffix(text, " ("+code) + "` – [`" + strings.TrimSuffix(code, ")") + "`](errors.md#reasons-of-a-refused-token)"
			}
			page.WriteString(wrapped("- *" + kind + "* " + text))
		}
	}
	const path = "../docs/presets.md"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil || string(written) != page.String() {
		t.Errorf("docs/presets.md is not what the presets say; go test ./caddymodule -run TestPresetsPage -update (%v)", err)
	}
}

// wrapped is an entry of a list in lines of at most 100 columns.
func wrapped(entry string) string {
	var out strings.Builder
	column := 0
	for _, word := range strings.Fields(entry) {
		n := len([]rune(word))
		switch {
		case column == 0:
		case column+1+n > 100:
			out.WriteString("\n  ")
			column = 2
		default:
			out.WriteString(" ")
			column++
		}
		out.WriteString(word)
		column += n
	}
	return out.String() + "\n"
}

// Every code of a condition stands in the list of errors.
func TestPresetCodesAreDocumented(t *testing.T) {
	list, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range preset.Names() {
		found, _ := preset.Find(name)
		if found.Conditions == nil {
			continue
		}
		for _, args := range []preset.Arguments{{}, {"of": "system", "tenant_id": "organizations"}} {
			for _, c := range found.Conditions(args) {
				if !strings.Contains(string(list), "`"+c.Code+"`") {
					t.Errorf("%s is not in docs/errors.md", c.Code)
				}
			}
		}
	}
}
