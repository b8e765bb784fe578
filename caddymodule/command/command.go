package command

import (
	"errors"
	"fmt"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// Exit statuses. Zero is success.
const (
	exitRefused     = 1
	exitUsage       = 2
	exitUnreachable = 3
)

// A usageError tells that a command was used wrongly.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// status is the exit status of an error.
func status(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errUnreachable):
		return exitUnreachable
	}
	return exitRefused
}

// Run makes a function the body of a command whose error decides the exit status.
func Run(cmd *cobra.Command, body func(cmd *cobra.Command, args []string) error) {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) {
			err := body(cmd, args)
			return status(err), err
		})(cmd, args)
	}
}

// Group makes a command that only holds others. Alone it prints its help; a word that
// is none of theirs is a mistake.
func Group(cmd *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	Run(cmd, func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("%q is no command of %s; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		return cmd.Help()
	})
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return exitUsage, err })(cmd, nil)
	})
	cmd.AddCommand(verbs...)
	return cmd
}

// address is where the gateway is to be asked: --address, else the admin address of
// the --config, else Caddy's default.
func address(cmd *cobra.Command) (string, error) {
	flags := caddycmd.Flags{FlagSet: cmd.Flags()}
	return caddycmd.DetermineAdminAPIAddress(flags.String("address"), nil, flags.String("config"), flags.String("adapter"))
}

func ask(cmd *cobra.Command) (*client, error) {
	at, err := address(cmd)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return newClient(at)
}

// print writes an answer as it came where --json is set, else as show makes it.
func (o output) print(cmd *cobra.Command, answer []byte, more bool) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON || o == nil {
		_, err := cmd.OutOrStdout().Write(answer)
		return err
	}
	if err := o(cmd.OutOrStdout(), answer); err != nil {
		return err
	}
	if more {
		fmt.Fprintln(cmd.ErrOrStderr(), "there are more; see --limit and the filters")
	}
	return nil
}
