package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/store"
)

func (c *cli) newSync() *cobra.Command {
	var wish admin.Sync
	cmd := c.tables(&cobra.Command{
		Use:   "sync SOURCE",
		Short: "Read everything that an application has, and tell what nothing told before",
		Long: `Sync has the running server read the whole library of an application: titles that are
new, changed or gone, and files. What no webhook told goes out as events by the routes, with
origin snapshot. The first sync of a source tells nothing: it only remembers what is there.

With --full every title and every file is told as if it were new, for a target that is to
know all of them; --to names that target, and no other hears of it.

Where more than 50 titles or files and more than a fifth of them are gone at once, their
deletion is not told, since the application may have lost its disk or its database. With
--allow-deletions it is.

Ctrl-C ends the watching and not the sync.`,
		Example: `  hookarr sync radarr
  hookarr sync radarr --full --to catalogue
  hookarr sync radarr --allow-deletions`,
		ValidArgsFunction: first(c.names(sourceNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			if wish.To != "" && !wish.Full {
				return usagef("--to is of --full: what has changed goes by the routes")
			}
			return c.withService(cmd.Context(), needServer, func(s *service) error {
				asked, err := s.SyncSource(cmd.Context(), args[0], wish, "")
				if err != nil {
					return err
				}
				return c.watchSync(cmd.Context(), s, asked)
			})
		},
	})
	flags := cmd.Flags()
	flags.BoolVar(&wish.Full, "full", false, "tell every title and file, and not only what has changed")
	flags.StringVar(&wish.To, "to", "", "with --full, tell this `TARGET` alone")
	flags.BoolVar(&wish.AllowDeletions, "allow-deletions", false, "tell deletions however many they are")
	completeFlag(cmd, "to", c.names(targetNames))
	return c.remote(cmd)
}

// watchSync shows how far a snapshot has come until it has ended.
func (c *cli) watchSync(ctx context.Context, s *service, asked admin.Synced) error {
	state := asked.Snapshot
	for state.EndedRun < asked.Awaited {
		if state.Trouble != "" {
			c.endLine()
			return fmt.Errorf("%s waits, and is tried again each minute: %s", asked.Source, clean(state.Trouble, whole))
		}
		c.rewrite(progressOf(state))
		select {
		case <-ctx.Done():
			return c.leaveSync(asked.Source)
		case <-time.After(watchPause):
		}
		source, err := s.Source(ctx, asked.Source)
		switch {
		case ctx.Err() != nil:
			return c.leaveSync(asked.Source)
		case err != nil:
			return fmt.Errorf("watch the sync of %s, which goes on: %w", asked.Source, err)
		case source.Snapshot == nil:
			return errors.New("the server has forgotten the sync: the source has left its configuration")
		}
		state = *source.Snapshot
	}
	c.endLine()
	return c.concludeSync(asked.Source, state)
}

// endLine ends the line that was written over.
func (c *cli) endLine() {
	if c.live {
		c.tell()
	}
}

func (c *cli) leaveSync(source string) error {
	c.endLine()
	c.tell("the sync goes on on the server: hookarr sources show " + source + " says how far it is")
	return errReported
}

// concludeSync says what a snapshot came to.
func (c *cli) concludeSync(source string, s admin.Snapshot) error {
	if c.json {
		if err := c.printJSON(s); err != nil {
			return err
		}
	} else if err := c.say("sync of %s is done: %s", source, countsOf(s)); err != nil {
		return err
	}
	if s.Withheld != "" {
		c.tell("hookarr: " + clean(s.Withheld, whole))
		return errReported
	}
	return nil
}

// progressOf says how far a snapshot has come.
func progressOf(s admin.Snapshot) string {
	items := humanize.Comma(int64(s.Items))
	if s.Total > 0 {
		items += " of " + humanize.Comma(int64(s.Total))
	}
	switch s.Phase {
	case store.SnapshotReading:
		return fmt.Sprintf("reading: %s items, %s", items, counted(s.Titles, "title", "titles"))
	case store.SnapshotSettling:
		return items + " items read: waits for webhooks that are under way"
	case store.SnapshotTelling:
		return fmt.Sprintf("telling: %s told, %s known before", counted(s.Told, "event", "events"), humanize.Comma(int64(s.Known)))
	default:
		return "begins"
	}
}

// countsOf says what a snapshot has read and told.
func countsOf(s admin.Snapshot) string {
	text := fmt.Sprintf("%s items, %s", humanize.Comma(int64(s.Items)), counted(s.Titles, "title", "titles"))
	switch {
	case s.First && !s.Full:
		return text + "; nothing is told the first time, and changes from now on are"
	case s.Known > 0:
		return text + fmt.Sprintf("; %s told, %s known before", counted(s.Told, "event", "events"), humanize.Comma(int64(s.Known)))
	default:
		return text + fmt.Sprintf("; %s told", counted(s.Told, "event", "events"))
	}
}
