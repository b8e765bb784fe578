package command

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// A verb is one operation of the admin API as a command.
type verb struct {
	use, short string
	method     string
	// path may hold %s for the arguments.
	path string
	out  output
	// query are flags that go into the query, body such that go into the body.
	query, body []flag
}

// A flag is a text or a switch.
type flag struct {
	name, help string
	// is is "", "bool" or "list" (name=value, repeated).
	is string
}

var filters = []flag{
	{"organization", "of this organization: id, external id or slug", ""},
	{"member", "of this member: id, or external id within --organization", ""},
	{"profile", "that rest on this profile", ""},
	{"issuer", "that rest on a token of this issuer", ""},
	{"factor", "that hold a factor of this type", ""},
}

var inOrganization = flag{"organization", "the organization: id, external id or slug", ""}

var limit = flag{"limit", "at most so many, up to 1000 (default 100)", ""}

// nouns is the table of commands.
func nouns() map[string][]verb {
	return map[string][]verb{
		"sessions": {
			{use: "list", short: "Lists live sessions", method: "GET", path: "/attest/sessions",
				out:   columns("session_id", "member_id", "organization_id", "email_address", "started_at", "expires_at", "factors"),
				query: append([]flag{{"claim", "with this claim: name=value", "list"}, limit}, filters...)},
			{use: "show <id>", short: "Shows one live session", method: "GET", path: "/attest/sessions/%s"},
		},
		"members": {
			{use: "list", short: "Lists members", method: "GET", path: "/attest/members",
				out: columns("member_id", "organization_id", "email_address", "name", "status"), query: []flag{inOrganization, limit}},
			{use: "show <id>", short: "Shows one member", method: "GET", path: "/attest/members/%s", query: []flag{inOrganization}},
			{use: "revoke <id>", short: "Ends a member's sessions, and refuses their tokens issued until now", method: "POST",
				path: "/attest/members/%s/revoke", query: []flag{inOrganization}},
		},
		"organizations": {
			{use: "list", short: "Lists organizations", method: "GET", path: "/attest/organizations",
				out: columns("organization_id", "name", "slug", "external_id", "profiles", "created_by"), query: []flag{limit}},
			{use: "show <id>", short: "Shows one organization", method: "GET", path: "/attest/organizations/%s"},
			{use: "revoke <id>", short: "Ends an organization's sessions, and refuses tokens for it issued until now", method: "POST", path: "/attest/organizations/%s/revoke"},
		},
		"profiles": {
			{use: "list", short: "Lists profiles and the state of their keys", method: "GET", path: "/attest/profiles",
				out: columns("name", "issuers", "factor", "disabled", "not_before", "keys")},
			{use: "disable <name>", short: "Switches a profile off, on every gateway", method: "POST", path: "/attest/profiles/%s/disable"},
			{use: "enable <name>", short: "Switches a profile on again", method: "POST", path: "/attest/profiles/%s/enable"},
			{use: "revoke <name>", short: "Ends every session that rests on a profile, and refuses its tokens issued until now", method: "POST", path: "/attest/profiles/%s/revoke"},
		},
		"levers": {
			{use: "list", short: "Shows what is frozen, revoked and switched off", method: "GET", path: "/attest/levers"},
			{use: "freeze", short: "Starts no session and adds no factor, on every gateway", method: "POST", path: "/attest/levers/freeze"},
			{use: "unfreeze", short: "Takes sign-ins again", method: "POST", path: "/attest/levers/unfreeze"},
			{use: "clear", short: "Enables every profile and takes sign-ins again; what was revoked stays so", method: "POST", path: "/attest/levers/clear"},
			{use: "revoke-before", short: "Refuses every session started and token issued until a time", method: "POST",
				path: "/attest/levers/revoke-before", body: []flag{{"time", "RFC 3339; default now", ""}}},
		},
		"keys": {
			{use: "list", short: "Lists the keys that sign", method: "GET", path: "/attest/keys",
				out: columns("kid", "algorithm", "state", "published_at", "activated_at", "retired_at")},
			{use: "retire [--] <kid>", short: "Takes a key that does not sign out of the ring, and denies it; -- for a kid that begins with -", method: "POST", path: "/attest/keys/%s/retire",
				out: columns("kid", "algorithm", "state", "published_at", "activated_at", "retired_at")},
			{use: "rotate", short: "Signs with the next key", method: "POST", path: "/attest/keys/rotate",
				out:  columns("kid", "algorithm", "state", "published_at", "activated_at", "retired_at"),
				body: []flag{{"emergency", "at once, and deny the old key: JWTs that it signed are refused", "bool"}, {"kid", "the key that an emergency takes out (default: the active one)", ""}}},
		},
		"templates": {
			{use: "list", short: "Lists the claim templates", method: "GET", path: "/attest/templates"},
			{use: "render", short: "Renders a template for a member; nothing is stored", method: "POST", path: "/attest/templates/render",
				body: []flag{{"name", "a configured template", ""}, {"text", "a template's text, instead of a name", ""}, {"member", "whose claims: an id, or an external id within --organization", ""}, inOrganization}},
		},
		"jwks": {
			{use: "refresh <profile>", short: "Fetches the keys of a profile now", method: "POST", path: "/attest/profiles/%s/refresh"},
		},
	}
}

var nounHelp = map[string]string{
	"sessions": "Looks at live sessions, and ends them", "members": "Looks at members, and ends their sessions",
	"organizations": "Looks at organizations, and ends their sessions", "profiles": "Looks at profiles, and switches them off and on",
	"levers": "What can be done about the whole fleet at once", "keys": "The keys that sign session JWTs", "jwks": "The keys of issuers", "templates": "Claim templates",
}

func (v verb) command() *cobra.Command {
	cmd := &cobra.Command{Use: v.use, Short: v.short, Args: cobra.ArbitraryArgs}
	for _, f := range append(append([]flag{}, v.query...), v.body...) {
		f.add(cmd)
	}
	Run(cmd, func(cmd *cobra.Command, args []string) error {
		if want := strings.Count(v.path, "%s"); len(args) != want {
			return usagef("%s takes %d arguments, not %d", cmd.CommandPath(), want, len(args))
		}
		c, err := ask(cmd)
		if err != nil {
			return err
		}
		answer, more, err := c.call(cmd.Context(), v.method, v.url(cmd, args), v.content(cmd))
		if err != nil {
			return err
		}
		return v.out.print(cmd, answer, more)
	})
	return cmd
}

func (f flag) add(cmd *cobra.Command) {
	switch f.is {
	case "bool":
		cmd.Flags().Bool(f.name, false, f.help)
	case "list":
		cmd.Flags().StringArray(f.name, nil, f.help)
	default:
		cmd.Flags().String(f.name, "", f.help)
	}
}

func (v verb) url(cmd *cobra.Command, args []string) string {
	path := v.path
	for _, arg := range args {
		path = strings.Replace(path, "%s", url.PathEscape(arg), 1)
	}
	q := url.Values{}
	for _, f := range v.query {
		for _, value := range f.values(cmd) {
			q.Add(f.name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// values are the texts of a flag; none where it is not set.
func (f flag) values(cmd *cobra.Command) []string {
	if f.is == "list" {
		list, _ := cmd.Flags().GetStringArray(f.name)
		return list
	}
	if text := cmd.Flags().Lookup(f.name).Value.String(); text != "" && text != "false" {
		return []string{text}
	}
	return nil
}

func (v verb) content(cmd *cobra.Command) map[string]any {
	content := map[string]any{}
	for _, f := range v.body {
		for _, value := range f.values(cmd) {
			if on, err := strconv.ParseBool(value); f.is == "bool" && err == nil {
				content[f.name] = on
			} else {
				content[f.name] = value
			}
		}
	}
	return content
}
