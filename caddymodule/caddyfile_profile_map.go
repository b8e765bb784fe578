package caddymodule

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/trust"
)

var (
	mapBlock   = lines{args: "<attribute> <claim path>", help: "email token_id external_id name roles trusted_metadata.<key>"}
	rolesBlock = lines{args: "<value> <role>...", help: "the claim's value, and the roles it gives"}
)

// readMap reads `map <attribute> <claim path>`, or a block of such lines.
func readMap(r *reader, p *Profile) error {
	r.usage = "map <attribute> <claim path>"
	if args := r.RemainingArgs(); len(args) > 0 {
		return readMapping(r, p, args)
	}
	if err := r.table(func(line []string) error { return readMapping(r, p, line) }); err != nil {
		return err
	}
	if len(p.Map) == 0 {
		return r.wrong()
	}
	return nil
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
func readMapping(r *reader, p *Profile, args []string) error {
	if len(args) != 2 || slices.Contains(args, "") {
		return r.wrong()
	}
	attribute, path := args[0], args[1]
	if !isAttribute(attribute) {
		return r.unrecognized("attribute", attribute, attributes...)
	}
	if _, ok := p.Map[attribute]; ok {
		return r.Errf("'%s' is already mapped", attribute)
	}
	r.mark(r.path.at(attribute))
	put(&p.Map, attribute, path)
	return nil
}

// readProfileRoles reads `roles <role>...`, or a block of `<value> <role>...`.
func readProfileRoles(r *reader, p *Profile) error {
	args := r.RemainingArgs()
	if slices.Contains(args, "") {
		return r.wrong()
	}
	for _, role := range args {
		giveRoles(p, role, role)
	}
	if len(args) > 0 {
		return nil
	}
	r.usage = "roles { <value> <role>... }"
	err := r.table(func(line []string) error {
		if len(line) < 2 {
			return r.wrong()
		}
		giveRoles(p, line[0], line[1:]...)
		return nil
	})
	if err == nil && len(p.Roles) == 0 {
		return r.wrong()
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
	put(&p.Roles, value, given)
}
