package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/store"
)

// waitPause is the time between tries to reach a database.
const waitPause = time.Second

func (c *cli) newMigrate() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version",
		Long: `Migrate brings the database to this version of Hookarr. Serve does that by itself;
use this where the process that serves may not change the schema.`,
		Example: `  hookarr migrate
  hookarr migrate --wait`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(nil)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			s, err := app.OpenStore(ctx, cfg.Database.URL, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			from, to, err := c.migrate(ctx, s, wait)
			if err = errors.Join(err, s.Close()); err != nil {
				return fmt.Errorf("migrate database: %w", err)
			}
			if from == to {
				_, err = fmt.Fprintf(c.out, "database is up to date at version %s\n", to)
			} else {
				_, err = fmt.Fprintf(c.out, "database is migrated from version %s to %s\n", from, to)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for a database server that does not answer")
	return cmd
}

func (c *cli) migrate(ctx context.Context, s *store.Store, wait bool) (from, to store.Schema, err error) {
	for tries := 0; ; tries++ {
		if from, to, err = s.Schema(ctx); err == nil {
			err = s.Migrate(ctx)
		}
		_, moved := errors.AsType[*store.MoveError](err)
		if err == nil || !wait || moved || errors.Is(err, store.ErrNewer) || ctx.Err() != nil {
			return from, to, err
		}
		if tries == 0 {
			c.tell("waiting for the database:", err)
		}
		select {
		case <-ctx.Done():
			return from, to, err
		case <-time.After(waitPause):
		}
	}
}
