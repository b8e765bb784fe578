package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"github.com/spf13/cobra"

	"github.com/attestgate/caddy-attest/caddymodule/command"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/backup"
	"github.com/attestgate/caddy-attest/store/bolt"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "store", Short: "Takes backups of the store, brings them back, and makes its file smaller"}
	return command.Group(cmd, storeExport(), storeImport(), storeCompact())
}

// offlineLock is how long a file that another process holds is waited for.
const offlineLock = 500 * time.Millisecond

// configuredStore is the app of a configuration with its backend, of which nothing is
// open yet.
func configuredStore(cmd *cobra.Command) (*App, func(), error) {
	config, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	app, err := configuredApp(config, adapter)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: cmd.Context()})
	if err := app.loadStore(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	return app, cancel, nil
}

// openOffline opens the store beside no gateway.
func (a *App) openOffline(ctx context.Context) (s store.Store, closeStore func(), err error) {
	if b, ok := a.backend.(*BoltStore); ok {
		s, err = bolt.Open(b.Path, bolt.Options{LockTimeout: offlineLock})
	} else {
		s, err = a.backend.Open(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = client{s}.Destruct() }, nil
}

func storeExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export <file>",
		Short: "Writes every record, sealed, to a new file",
		Long: `
Asks the running gateway for every record of its store and writes them to a new file
that only its owner can read. The records stay sealed: the file is worth nothing without
the secret, which must be kept elsewhere. With --offline no gateway is asked, and none
may run. Only a store of one file can be exported; Redis has backups of its own.
`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Bool("offline", false, "read the store that --config names, with no gateway running")
	command.Run(cmd, runStoreExport)
	return cmd
}

func runStoreExport(cmd *cobra.Command, args []string) error {
	offline, _ := cmd.Flags().GetBool("offline")
	records, err := newFile(args[0], func(w io.Writer) error {
		if offline {
			return exportOffline(cmd, w)
		}
		return command.Download(cmd, "/attest/store/export", w)
	})
	if err != nil {
		return err
	}
	return tell(cmd, map[string]int{"records": records}, fmt.Sprintf("%d records, sealed; keep the secret elsewhere", records))
}

func exportOffline(cmd *cobra.Command, w io.Writer) error {
	app, cancel, err := configuredStore(cmd)
	if err != nil {
		return err
	}
	defer cancel()
	if b, ok := app.backend.(*BoltStore); ok {
		if _, err := os.Stat(b.Path); err != nil {
			return err // to open it would make one
		}
	}
	s, closeStore, err := app.openOffline(cmd.Context())
	if err != nil {
		return err
	}
	defer closeStore()
	_, err = backup.Write(cmd.Context(), w, s, time.Now())
	return err
}

// newFile makes a file that only its owner can read, of what write writes, and answers
// how many records are in it. One that did not come whole does not stay.
func newFile(path string, write func(io.Writer) error) (records int, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if err = write(file); err != nil {
		return 0, err
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if records, err = backup.Count(file); err != nil {
		return 0, err
	}
	return records, file.Sync()
}

func storeImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <file>",
		Short: "Brings the records of a file into the empty store of --config",
		Long: `
Brings organizations, members, signing keys, levers and what is revoked from a file of
'caddy attest store export' into the store that --config names, which must be empty: no
gateway may have started on it. So a gateway moves from a file to Redis, or to another
machine. Live sessions are left out; with --sessions they come too, those included that
were ended after the file was made, which is why it demands --yes.

The secret that sealed the file must be among those of the configuration, or be the one
that Caddy's storage on this machine keeps.
`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Bool("sessions", false, "bring live sessions too")
	cmd.Flags().Bool("yes", false, "bring sessions that may have been ended since")
	cmd.Flags().Bool("dry-run", false, "check the file and the store, count, and write nothing")
	command.Run(cmd, runStoreImport)
	return cmd
}

var (
	errSessionsNeedYes = errors.New("sessions that were ended after the file was made would live again; say --yes to bring them")
	errKeepsNothing    = errors.New("store memory keeps nothing; name a configuration with another store")
)

func runStoreImport(cmd *cobra.Command, args []string) error {
	sessions, _ := cmd.Flags().GetBool("sessions")
	yes, _ := cmd.Flags().GetBool("yes")
	dry, _ := cmd.Flags().GetBool("dry-run")
	if sessions && !yes && !dry {
		return errSessionsNeedYes
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	done, err := importFile(cmd, file, backup.Options{DryRun: dry, Skip: skipping(sessions)})
	if err != nil {
		return err
	}
	return tell(cmd, map[string]any{"written": done.Written, "skipped": done.Skipped, "ended": done.Ended, "made_at": done.MadeAt, "dry_run": dry}, importedText(done, dry))
}

// skipping leaves live sessions out.
func skipping(sessions bool) func(store.Ref, []byte) bool {
	if sessions {
		return nil
	}
	return session.IsLive
}

func importedText(done backup.Done, dry bool) string {
	did := "are"
	if dry {
		did = "would be"
	}
	return fmt.Sprintf(`%d records %s brought, %d of live sessions left out, %d had ended
what was revoked since is not known here: caddy attest levers revoke-before --time %s`,
		done.Written, did, done.Skipped, done.Ended, done.MadeAt.Format(time.RFC3339))
}

func importFile(cmd *cobra.Command, file io.ReadSeeker, opts backup.Options) (backup.Done, error) {
	app, cancel, err := configuredStore(cmd)
	if err != nil {
		return backup.Done{}, err
	}
	defer cancel()
	if _, ok := app.backend.(*MemoryStore); ok {
		return backup.Done{}, errKeepsNothing
	}
	if opts.Secrets, err = app.importSecrets(cmd.Context(), caddy.DefaultStorage); err != nil {
		return backup.Done{}, err
	}
	s, closeStore, err := app.openOffline(cmd.Context())
	if err != nil {
		return backup.Done{}, err
	}
	defer closeStore()
	return backup.Read(cmd.Context(), file, s, opts)
}

// importSecrets are those with which the gateway will seal and open, and the one of this
// machine's former gateway: its file may have been sealed with that.
func (a *App) importSecrets(ctx context.Context, storage certmagic.Storage) ([][]byte, error) {
	secrets, err := a.sealingSecrets(ctx, storage)
	if err != nil || isLocal(a.backend) {
		return secrets, err
	}
	made, err := storage.Load(ctx, storedSecret)
	if errors.Is(err, fs.ErrNotExist) {
		return secrets, nil
	}
	return append(secrets, made), err
}

func storeCompact() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Makes the file of `store bolt` as small as what it holds, with no gateway running",
		Long: `
Writes the file of 'store bolt' that --config names anew without the space that nothing
uses. No gateway may have it open: the one that does is named. A gateway does this by
itself when it starts with a file that is mostly empty.
`,
		Args: cobra.NoArgs,
	}
	command.Run(cmd, func(cmd *cobra.Command, _ []string) error {
		app, cancel, err := configuredStore(cmd)
		if err != nil {
			return err
		}
		defer cancel()
		b, ok := app.backend.(*BoltStore)
		if !ok {
			return errors.New("only 'store bolt' has a file to make smaller")
		}
		before, after, err := bolt.Compact(b.Path, bolt.Options{LockTimeout: offlineLock})
		if err != nil {
			return err
		}
		return tell(cmd, map[string]int64{"before": before, "after": after}, fmt.Sprintf("%d KiB, before %d KiB", after>>10, before>>10))
	})
	return cmd
}

// tell prints what was done: as JSON where --json is set.
func tell(cmd *cobra.Command, answer any, text string) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(answer)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}
