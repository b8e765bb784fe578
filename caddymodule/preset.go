package caddymodule

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/preset"
)

// Preset names the preset that a profile begins with.
type Preset struct {
	// One of those that `caddy attest preset` lists.
	Name string `json:"name"`

	// Its arguments.
	Args []string `json:"args,omitempty"`
}

// readPreset reads `preset <name> [<argument>...]`.
func readPreset(r *grammar.Reader, p *Profile) error {
	if p.Preset != nil {
		return r.Again()
	}
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	p.Preset = &Preset{Name: args[0], Args: args[1:]}
	if _, _, err := p.Preset.find(); err != nil {
		return r.Errf("%v", err)
	}
	return nil
}

func (p *Preset) find() (preset.Preset, preset.Arguments, error) {
	found, ok := preset.Find(p.Name)
	if !ok {
		return found, nil, fmt.Errorf("unrecognized preset '%s'; expected %s", p.Name, grammar.OneOf(preset.Names()...))
	}
	args, err := found.Arguments(p.Args)
	if err != nil {
		return found, nil, fmt.Errorf("preset %s: %w", p.Name, err)
	}
	return found, args, nil
}

// writePresets writes the lines of presets into what their profiles leave out.
func (a *App) writePresets() error {
	for name, p := range sorted(a.Profiles) {
		if p.Preset == nil {
			continue
		}
		found, args, err := p.Preset.find()
		if err != nil {
			return &grammar.Problem{Place: grammar.Place{"profile", name, "preset"}, Text: err.Error()}
		}
		lines, err := presetLines(found.Lines(args))
		if err != nil {
			return err
		}
		p.fill(lines)
	}
	return nil
}

func presetLines(lines []string) (*Profile, error) {
	tokens, err := caddyfile.Tokenize([]byte("profile {\n"+strings.Join(lines, "\n")+"\n}\n"), "preset")
	if err != nil {
		return nil, err
	}
	p := new(Profile)
	return p, profileBlock.Read(grammar.NewReader(caddyfile.NewDispenser(tokens), grammar.Place{"profile"}, ""), p)
}

// fill takes the lines of a preset where the profile has none. Keys come from one place,
// attributes are mapped one by one, and roles only where some are listed.
func (p *Profile) fill(lines *Profile) {
	if len(p.keySources()) > 0 {
		lines.JWKSURL = nil
	}
	if p.WithoutIssuer || len(p.Issuers) > 0 {
		lines.Issuers, lines.WithoutIssuer, lines.SubjectPrefix = nil, false, ""
	}
	if len(p.Roles) == 0 && !p.AnyRole {
		delete(lines.Map, trust.AttributeRoles)
		delete(lines.MapExpressions, trust.AttributeRoles)
	}
	for attribute, path := range lines.Map {
		if !p.maps(attribute) {
			grammar.Put(&p.Map, attribute, path)
		}
	}
	for attribute, expression := range lines.MapExpressions {
		if !p.maps(attribute) {
			grammar.Put(&p.MapExpressions, attribute, expression)
		}
	}
	p.When, p.RequireClaims = append(lines.When, p.When...), append(lines.RequireClaims, p.RequireClaims...)
	lines.Map, lines.MapExpressions = nil, nil
	if p.Factor != nil && lines.Factor != nil {
		fillEmpty(p.Factor, lines.Factor)
	}
	fillEmpty(p, lines)
}

// fillEmpty sets the fields that are empty to those of the other.
func fillEmpty[T any](own, other *T) {
	to, from := reflect.ValueOf(own).Elem(), reflect.ValueOf(other).Elem()
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// conditions are those of the preset, for package trust.
func (p *Profile) conditions() []trust.Condition {
	if p.Preset == nil {
		return nil
	}
	found, args, err := p.Preset.find()
	if err != nil || found.Conditions == nil {
		return nil // checkPreset tells
	}
	return found.Conditions(args)
}

// checkPreset refuses a profile that lacks what its preset needs, or that trusts a public
// issuer without a condition.
func (p *Profile) checkPreset(c trust.Config) error {
	if p.Preset == nil {
		return preset.PublicIssuer(c)
	}
	found, args, err := p.Preset.find()
	if err != nil {
		return err
	}
	if err := found.Check(c, args); err != nil {
		return fmt.Errorf("preset %s %w", p.Preset.Name, err)
	}
	return nil
}

func presetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preset [show <name> [<argument>...]]",
		Short: "Lists the presets of profiles, or prints the lines that one stands for",
	}
	list := &cobra.Command{Use: "list", Short: "Lists the presets", Args: cobra.NoArgs}
	command.Run(list, func(cmd *cobra.Command, _ []string) error { return listPresets(cmd) })
	show := &cobra.Command{Use: "show <name> [<argument>...]", Short: "Prints the lines of a preset, and what it needs", Args: cobra.MinimumNArgs(1)}
	command.Run(show, showPreset)
	cmd.AddCommand(list, show)
	return cmd
}

func listPresets(cmd *cobra.Command) error {
	for _, name := range preset.Names() {
		p, _ := preset.Find(name)
		fmt.Fprintf(cmd.OutOrStdout(), "%-72s # %s\n", p.Usage(), p.About)
	}
	return nil
}

// showPreset prints the lines; arguments that are not given stand as they are named.
func showPreset(cmd *cobra.Command, args []string) error {
	named := Preset{Name: args[0], Args: args[1:]}
	found, ok := preset.Find(named.Name)
	if ok && len(named.Args) == 0 {
		for _, name := range found.Args {
			if !strings.HasPrefix(name, "[") {
				named.Args = append(named.Args, strings.ToUpper(name))
			}
		}
	}
	found, values, err := named.find()
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "# %s\n# %s\n", found.Usage(), found.About)
	for _, line := range found.TextOf(values) {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	return nil
}
