package caddymodule

// templateText is the place of a template's own text.
const templateText = "text"

// readTemplate reads `template <name> <heredoc>` or `template <name> file
// <path>`. Only a heredoc or quotes keep a template one word.
func readTemplate(r *reader, a *App) error {
	args, err := r.args(2)
	if err != nil {
		return err
	}
	name := args[0]
	if _, ok := a.Templates[name]; ok {
		return r.Errf("template '%s' is already defined", name)
	}
	switch {
	case len(args) == 2:
		r.markToken(r.path.at(name, templateText), r.Token())
		put(&a.Templates, name, &Template{Text: args[1]})
	case len(args) == 3 && args[1] == "file":
		put(&a.Templates, name, &Template{File: args[2]})
	default:
		return r.wrong()
	}
	return nil
}
