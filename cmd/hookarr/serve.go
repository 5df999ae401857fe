package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/logring"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/sdnotify"
)

const serveCommand = "serve"

func (c *cli) newServe() *cobra.Command {
	var first bool
	cmd := &cobra.Command{
		Use:   serveCommand,
		Short: "Take webhooks and deliver them until told to stop",
		Long: `Serve migrates the database, starts the plugins that the configuration uses, takes
webhooks and delivers them. SIGTERM or Ctrl-C lets deliveries under way finish
within shutdown.drain; a second one does not wait.

With --init, where there is no configuration yet, the one of hookarr init is written first.`,
		Example: `  hookarr serve
  hookarr serve --init
  hookarr serve --config /etc/hookarr/hookarr.yaml --log-format json
  HOOKARR_DATABASE_URL=postgres://hookarr@localhost/hookarr hookarr serve`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			written := false
			if first {
				var err error
				if written, err = c.initOnce(); err != nil {
					return err
				}
			}
			return c.serve(cmd.Context(), cmd.Flags(), written)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&first, "init", false, "write a first configuration where there is none")
	flags.String("listen", "", "take webhooks at `ADDRESS`, whatever the configuration says")
	flags.String("admin-listen", "", "serve health, metrics and the API at `ADDRESS`")
	flags.String("plugins-dir", "", "find the plugins in `DIR`")
	flags.String("log-level", "", "log from this `LEVEL` on: debug, info, warn or error")
	flags.String("log-format", "", "log in this `FORMAT`: text or json")
	completeFlag(cmd, "plugins-dir", directories)
	completeFlag(cmd, "log-level", words([]string{"debug", "info", "warn", "error"}))
	completeFlag(cmd, "log-format", words([]string{"text", "json"}))
	return cmd
}

// serve runs the server. With isNew the configuration was written just now.
func (c *cli) serve(ctx context.Context, flags *pflag.FlagSet, isNew bool) error {
	cfg, err := c.load(flags)
	if err != nil {
		return err
	}
	if err := c.checkDatabaseFiles(cfg); err != nil {
		return err
	}
	problems, warnings := cfg.CheckTLS(time.Now())
	if len(problems) > 0 {
		return &config.Error{Problems: problems}
	}
	level := new(slog.LevelVar)
	ring := new(logring.Ring)
	log := slog.New(ring.Handler(newLog(c.err, cfg.Log, level).Handler(), &slog.HandlerOptions{ReplaceAttr: oneLine}))
	for _, w := range slices.Concat(cfg.Warnings, warnings, lint(cfg), lintPlugins(cfg)) {
		log.WarnContext(ctx, "configuration", slog.String("problem", w.String()))
	}
	if isNew {
		c.logFirst(ctx, log, cfg)
	}
	a, err := app.New(ctx, cfg, app.Options{
		Log: log, Level: level, Load: func() (*config.Config, error) { return c.load(flags) },
		Program: program(), Logs: ring, Manager: sdnotify.New(c.getenv),
	})
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	var reloading sync.WaitGroup
	defer reloading.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reloading.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				_, _ = a.Reload(ctx, false) // it logs what is wrong
			}
		}
	})
	return a.Run(ctx)
}

// program is what operators are told of this one.
func program() admin.Version {
	b := readBuild()
	return admin.Version{Version: b.Version, Go: b.Go, Commit: b.Commit}
}

// newLog returns the log of a checked configuration, at the level that is set.
func newLog(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	var first slog.Level
	_ = first.UnmarshalText([]byte(c.Level)) // one of those that slog knows
	level.Set(first)
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: oneLine}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// oneLine puts errors in one line: those of database drivers have several.
func oneLine(_ []string, a slog.Attr) slog.Attr {
	text := a.Value.String()
	_, isError := a.Value.Any().(error)
	if !isError && a.Key != "error" && a.Key != "err" || !strings.Contains(text, "\n") {
		return a
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return slog.String(a.Key, strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": "))
}

// lint returns what is probably a mistake in the routes.
func lint(cfg *config.Config) []config.Problem {
	routes, err := route.New(cfg.Routes)
	if err != nil {
		return nil // whoever needs the routes says so
	}
	var warnings []config.Problem
	if len(cfg.Routes) > 0 {
		for _, p := range routes.Lint(sourceNames(cfg), suggestType) {
			warnings = append(warnings, cfg.Problem(p.Key, p.Message))
		}
	}
	return warnings
}
