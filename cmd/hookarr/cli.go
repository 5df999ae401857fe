package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/plugincheck"
	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/core/store"
)

// The exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	// exitDrift is of connect --check.
	exitDrift = 2
	// exitConfig is of serve with a wrong configuration: EX_CONFIG of sysexits.h, after which
	// a service manager need not start it again.
	exitConfig = 78
)

// cli is one run of the command.
type cli struct {
	in       io.Reader
	out, err io.Writer
	// terminal is that a person can be asked at in.
	terminal bool
	// environ returns the environment; nil stands for the process's.
	environ func() []string
	// local is the zone that times are shown in; nil stands for the process's.
	local *time.Location

	// width is that of the terminal that out is, in cells; 0 is no terminal, where nothing
	// is cut to fit.
	width int
	// colors is that out is a terminal that shows colours.
	colors bool
	// live is that err is a terminal, where a line can be written over.
	live bool

	// checkWindows are those of checks of plugins; zero stands for their own.
	checkWindows plugincheck.Windows

	configFile string
	// places are where the configuration is looked for when none is named; nil stands for
	// hereFile and systemFile.
	places []string
	// hidden tells once of a file that is not used.
	hidden sync.Once
	// socket and server say where the service is.
	socket, server string
	json           bool
}

// errReported stands for what has been printed already.
var errReported = errors.New("reported")

// run returns the exit code.
func (c *cli) run(ctx context.Context, args []string) int {
	c.out, c.err = visible{c.out}, visible{c.err}
	root := c.newRoot() //nolint:contextcheck // cobra passes it on
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	_, isUsage := errors.AsType[usageError](err)
	problems, isConfig := errors.AsType[*config.Error](err)
	switch {
	case err == nil:
		return exitOK
	case isConfig:
		c.tell(problems)
		if cmd.Name() == "serve" {
			return exitConfig
		}
		return exitError
	case isUsage:
		c.tell("hookarr:", err)
		c.tell(usage(cmd))
		return exitUsage
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.Is(err, errReported):
		return exitError
	default:
		c.tellError(err)
		return exitError
	}
}

// tellError prints what went wrong, and what an ambiguous id may mean.
func (c *cli) tellError(err error) {
	p, ok := errors.AsType[*admin.Problem](err)
	if !ok {
		c.tell("hookarr:", err)
		return
	}
	c.tell("hookarr:", clean(err.Error(), whole))
	for _, field := range p.Errors {
		c.tell("  " + clean(field.Location+": "+field.Message, whole))
	}
	for _, candidate := range p.Candidates {
		c.tell("  " + clean(candidate, whole))
	}
}

func (c *cli) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hookarr",
		Short: "Takes the webhooks of Arr applications and delivers them",
		Long: `Hookarr takes the webhooks of Arr applications, stores them, and delivers them to
Discord, Slack, your own endpoints and whatever there is a plugin for.

Exit codes: 0 done, 1 an error, such as a wrong configuration, 2 a wrong command line,
or a difference that connect --check found, 78 a wrong configuration for serve.`,
		Version: readBuild().Version,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Example: `  hookarr init
  hookarr check
  hookarr serve
  hookarr send radarr --sample import
  hookarr events list`,
		SilenceErrors: true,
		SilenceUsage:  true,

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return c.settle(cmd.Context(), cmd.Name() == serveCommand) },
	}
	root.SetVersionTemplate("hookarr {{.Version}}\n")
	root.Flags().Bool("version", false, "print the version")
	root.PersistentFlags().StringVar(&c.configFile, "config", "", "configuration `FILE` (default "+hereFile+", then "+systemFile+")")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	completeFlag(root, "config", files)
	root.AddCommand(
		c.newInit(), c.newServe(), c.newCheck(), c.newConnect(), c.newMigrate(), c.newBackup(), c.newRestore(), c.newMove(), c.newPlugins(), c.newSend(),
		c.newEvents(), c.newDeliveries(), c.newActions(), c.newTargets(), c.newSilences(), c.newSources(), c.newSync(), c.newRoutes(), c.newPaths(), c.newCatalogue(), c.newReload(), c.newLogs(),
		c.newOpen(), c.newSessions(), c.newHealthcheck(),
		c.newVersion(),
	)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	strict(root)
	return root
}

// group returns a command that has others below it and does nothing itself.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, RunE: needsCommand}
	g.AddCommand(commands...)
	return g
}

// tables adds the flag of commands that print one.
func (c *cli) tables(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

// Where the configuration is looked for when none is named.
const (
	hereFile   = "./hookarr.yaml"
	systemFile = "/etc/hookarr/hookarr.yaml"
)

// file returns the configuration's.
func (c *cli) file() string {
	if c.configFile != "" {
		return c.configFile
	}
	there := c.found()
	if len(there) == 0 {
		return hereFile
	}
	return there[0]
}

// found are the configurations that are there when none is named, of which the first is used.
func (c *cli) found() []string {
	var there []string
	places := c.places
	if places == nil {
		places = []string{hereFile, systemFile}
	}
	for _, name := range places {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, name)
		}
	}
	return there
}

// tellHidden warns whoever drafts a configuration where another is in use.
func (c *cli) tellHidden() {
	if c.configFile != "" {
		return
	}
	c.hidden.Do(func() {
		if there := c.found(); len(there) > 1 {
			c.tell("warning: " + there[0] + " is used, and " + there[1] + " is not: for that one give " + shell.Command("--config", there[1]))
		}
	})
}

// load reads the configuration; flags may be nil.
func (c *cli) load(flags *pflag.FlagSet) (*config.Config, error) {
	c.tellHidden()
	cfg, err := config.Loader{Environ: c.environ, Flags: flags}.Load(c.file())
	if c.configFile == "" && errors.Is(err, fs.ErrNotExist) {
		message := "there is no such file, nor " + systemFile + ": write one with hookarr init, or name another with --config"
		err = &config.Error{Problems: []config.Problem{{File: hereFile, Message: message}}, Err: err}
	}
	if flags == nil && errors.Is(err, fs.ErrPermission) { // a server is not to be run as root
		message := "cannot be read: permission denied: run the command with sudo, or as the user that runs hookarr serve"
		err = &config.Error{Problems: []config.Problem{{File: c.file(), Message: message}}, Err: err}
	}
	return cfg, err
}

// open loads the configuration and opens its database, which must be there and of
// this version.
func (c *cli) open(ctx context.Context) (*config.Config, *store.Store, error) {
	cfg, err := c.load(nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.openDatabase(ctx, cfg)
	return cfg, s, err
}
