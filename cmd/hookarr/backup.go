package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/backup"
	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/shell"
)

func (c *cli) newBackup() *cobra.Command {
	var force, moved bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything that the database holds into one file",
		Long: `Backup writes everything that the database holds at one moment into FILE, while
hookarr serve runs or not: events, deliveries with what is owed and what became of
them, holds, silences, and how far histories were read. FILE is an SQLite database,
also where the database is Postgres. It is checked, on disk, and readable for its
owner alone before it has its name.

Not in it are the configuration, with its secrets, the plugins, and who is signed in
with a browser: keep the configuration beside it. hookarr restore puts it back.`,
		Example: `  hookarr backup /var/backups/hookarr-$(date +%F).backup
  hookarr backup --force --json hookarr.backup`,
		ValidArgsFunction: first(files, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.backupOptions(args[0], force)
			if err != nil {
				return err
			}
			o.Moved = moved
			s, err := backup.Write(cmd.Context(), o)
			c.clearLine()
			if err != nil {
				return fmt.Errorf("back up: %w", err)
			}
			if c.json {
				return c.printJSON(s)
			}
			if err := c.say("%s is written and checked: %s", s.File, mebibytes(s.Bytes)); err != nil {
				return err
			}
			return c.facts(c.backupFacts(s))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	cmd.Flags().BoolVar(&moved, "moved", false, "back up a database that was moved to another, as it was")
	return c.tables(cmd)
}

func (c *cli) newRestore() *cobra.Command {
	var force, hold bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database",
		Long: `Restore puts what hookarr backup wrote into the database that database.url names,
which has to be without events, or is replaced with --force. Stop hookarr serve first.
FILE is checked, and brought to this version if an older one wrote it, before anything
is replaced; whoever kills the command leaves the former database or the restored one.
A former SQLite database is kept beside the restored one.

What was owed when the backup was taken is sent when hookarr serve runs: nothing of it
is lost, and what was delivered since then goes out again, with the id that it had. To
look first, give --hold: every target is paused, hookarr deliveries list --state pending
shows what waits, hookarr deliveries cancel takes from it, and hookarr targets resume
lets it go. What applications did since the backup is read from their histories where
catch-up is on. Silences that were ended since then are back, and nobody is signed in.`,
		Example: `  hookarr restore /var/backups/hookarr-2026-11-30.backup
  hookarr restore --force --hold hookarr.backup`,
		ValidArgsFunction: first(files, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.backupOptions(args[0], force)
			if err != nil {
				return err
			}
			o.Hold = hold
			return c.restore(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a database that is not empty")
	cmd.Flags().BoolVar(&hold, "hold", false, "pause every target, so that nothing is sent before you have looked")
	return c.tables(cmd)
}

// backupOptions need no secret but that of the database.
func (c *cli) backupOptions(file string, force bool) (backup.Options, error) {
	f, err := c.readSettings()
	if err != nil {
		return backup.Options{}, err
	}
	if err := f.sound("database.url"); err != nil {
		return backup.Options{}, err
	}
	begun := time.Now()
	return backup.Options{
		Database: f.config.Database.URL, File: file, Force: force, Version: readBuild().Version, Log: c.errorLog(), Targets: targetNames(f.config),
		Progress: func(p move.Progress) { c.rewrite(progressLine(p, time.Since(begun))) },
		Say:      func(line string) { c.tell(clean(line, whole)) },
	}, nil
}

func (c *cli) restore(ctx context.Context, o backup.Options) error {
	r, err := backup.Restore(ctx, o)
	c.clearLine()
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if c.json {
		return c.printJSON(r)
	}
	if err := c.say("%s is restored", r.File); err != nil {
		return err
	}
	facts := c.backupFacts(r.Summary)
	if r.MigratedTo != "" {
		facts = append(facts, []string{"migrated", "to schema " + r.MigratedTo})
	}
	if r.Kept != "" {
		facts = append(facts, []string{"replaced", "the former database is " + r.Kept})
	}
	if err := c.facts(facts); err != nil {
		return err
	}
	switch {
	case len(r.Held) > 0:
		var commands []string // those that left the configuration cannot be resumed
		for _, name := range o.Targets {
			commands = append(commands, "  "+shell.Command("hookarr", "targets", "resume", name))
		}
		return c.say("%s paused: look with hookarr deliveries list --state pending, then let them go with\n%s",
			counted(len(r.Held), "target is", "targets are"), strings.Join(commands, "\n"))
	case r.Owed.Deliveries > 0:
		return c.say("hookarr serve sends what is owed; what was delivered after the backup goes out again, with the id that it had")
	default:
		return nil
	}
}

func (c *cli) backupFacts(s backup.Summary) [][]string {
	owed := "nothing"
	if s.Owed.Deliveries > 0 {
		owed = counted(int(s.Owed.Deliveries), "delivery", "deliveries") + ", the oldest of " + c.timeOf(s.Owed.Since)
	}
	if s.Owed.Deferred > 0 {
		owed += "; " + counted(int(s.Owed.Deferred), "event", "events") + " to be decoded"
	}
	return [][]string{
		{"taken", c.time(s.Taken) + " by hookarr " + clean(s.Version, titleWidth) + ", schema " + s.Schema + ", from " + clean(s.Engine, titleWidth)},
		{"events", strconv.FormatInt(s.Rows["events"], 10)},
		{"deliveries", strconv.FormatInt(s.Rows["deliveries"], 10)},
		{"dead letters", strconv.FormatInt(s.Dead, 10)},
		{"owed", owed},
	}
}

// mebibytes is a size as people read it.
func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
