package caddymodule

var roleBlock = grammar[Role]{name: "role", words: []word[Role]{
	{
		name: "allow", args: "<resource> <action>...",
		help: "* is every action",
		read: readAllow,
	},
}}

// readAllow reads `allow <resource> <action>...`.
func readAllow(r *reader, role *Role) error {
	args, err := r.args(2)
	if err != nil {
		return err
	}
	role.Permissions = append(role.Permissions, Permission{Resource: args[0], Actions: args[1:]})
	return nil
}

// readResource reads `resource <id> <action>...`.
func readResource(r *reader, a *App) error {
	args, err := r.args(2)
	if err != nil {
		return err
	}
	id := args[0]
	if _, ok := a.Resources[id]; ok {
		return r.Errf("resource '%s' is already defined", id)
	}
	put(&a.Resources, id, &Resource{Actions: args[1:]})
	return nil
}
