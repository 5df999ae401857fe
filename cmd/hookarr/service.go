package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// tokenVariable holds the token for --server: on a command line, others could read it.
const tokenVariable = "HOOKARR_TOKEN" //nolint:gosec // it is the name

// need is what a command cannot do without where no server runs.
type need int

const (
	// needSettings is the configuration alone.
	needSettings need = iota
	needDatabase
	// needFolders is the plugins, and the database if there is one.
	needFolders
	// needServer is what only a server can do.
	needServer
)

// service is the operators' service, wherever it is.
type service struct {
	*client.Client
	// work works a bulk action to its end where no server does it; nil with a server.
	work func(ctx context.Context, id string) error
}

// remote adds the flags that say where the service of a command is.
func (c *cli) remote(cmd *cobra.Command) *cobra.Command {
	flags := cmd.PersistentFlags()
	flags.StringVar(&c.socket, "socket", "", "ask the server at this unix `SOCKET` (default that of the configuration)")
	flags.StringVar(&c.server, "server", "", "ask the server at this `URL`, with the token in "+tokenVariable)
	completeFlag(cmd, "socket", files)
	return cmd
}

// withService runs f with the service: that of the server, or, if none runs, one in this
// process on the database.
func (c *cli) withService(ctx context.Context, what need, f func(*service) error) (err error) {
	s, release, err := c.reach(ctx, what, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return f(s)
}

// reach finds the service. With tell it says what is strange about it.
func (c *cli) reach(ctx context.Context, what need, tell bool) (*service, func() error, error) {
	if c.server != "" && c.socket != "" {
		return nil, nil, usagef("give --server or --socket, not both")
	}
	if c.server != "" {
		return c.dialRemote(ctx, tell)
	}
	f, err := c.readSettings()
	if err != nil && c.socket == "" {
		if tell {
			c.tellSocket(err)
		}
		return nil, nil, err
	}
	path := c.socket
	if path == "" {
		path = f.config.AdminSocket()
	}
	s := client.Socket(path)
	version, err := s.Version(ctx)
	switch {
	case err == nil:
		if tell {
			c.tellVersion(version)
			c.tellSettings(f, version)
		}
		return &service{Client: s}, closing(s), nil
	case !errors.Is(err, client.ErrNoServer):
		s.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	case c.socket != "":
		return nil, nil, fmt.Errorf("no server answers at %s: start hookarr serve, or leave --socket out to work on the database", path)
	case what == needServer:
		return nil, nil, fmt.Errorf("no server answers at %s, and this needs a running server: start hookarr serve", path)
	}
	return c.serviceHere(ctx, f, what, tell)
}

// packagedSocket is where the unit of the packages has its server listen.
const packagedSocket = "/run/hookarr/hookarr.sock"

// tellSocket says how a server is reached whose configuration is broken. Who may not read
// the file, or has none, is helped by something else.
func (c *cli) tellSocket(err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return
	}
	how := "name its socket with --socket"
	dir := filepath.Dir(c.file())
	for _, path := range []string{filepath.Join(dir, "data", "hookarr.sock"), filepath.Join(dir, "hookarr.sock"), packagedSocket} {
		if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
			how = "use " + shell.Command("--socket", path)
			break
		}
	}
	c.tell("note: a server that runs can be asked all the same: " + how)
}

func closing(s *client.Client) func() error {
	return func() error { s.Close(); return nil }
}

func (c *cli) dialRemote(ctx context.Context, tell bool) (*service, func() error, error) {
	token := c.getenv(tokenVariable)
	if token == "" {
		return nil, nil, errors.New("--server needs a token: set " + tokenVariable + " to one of the server's admin.tokens")
	}
	s, err := client.Remote(c.server, sdk.Secret(token))
	if err != nil {
		return nil, nil, usagef("--server: %w", err)
	}
	version, err := s.Version(ctx)
	if p, ok := errors.AsType[*admin.Problem](err); ok && p.Status == http.StatusUnauthorized {
		err = fmt.Errorf("the server does not know the token in %s: it wants one of its admin.tokens", tokenVariable)
	}
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	if tell {
		c.tellVersion(version)
	}
	return &service{Client: s}, closing(s), nil
}

// tellVersion says when the server is another hookarr than this command.
func (c *cli) tellVersion(v admin.Version) {
	if own := readBuild().Version; v.Version != own {
		c.tell("note: the server is hookarr "+clean(v.Version, titleWidth)+" and this command is", own+": what one of them does not know is left out")
	}
}

// tellSettings says when the server runs other settings than are read here. What cannot be
// read whole here, as secrets are missing, cannot be compared.
func (c *cli) tellSettings(f *settings, v admin.Version) {
	if f == nil || f.problems != nil || v.ConfigHash == "" || v.ConfigHash == hashOf(f.config) || v.FileHash == fileHash(f.config, v.Overruled) {
		return
	}
	c.tell("note: the server runs other settings than", f.config.File, "has: hookarr reload --dry-run shows what differs")
}

// hashOf is as Version has it, and so is fileHash, of what the server's file decides.
func hashOf(c *config.Config) string { return fmt.Sprintf("%012x", c.Hash()) }

func fileHash(c *config.Config, overruled []string) string {
	return fmt.Sprintf("%012x", c.HashWithout(overruled))
}

// settings are those of the file. They are admin.Settings of a service in this process.
type settings struct {
	config *config.Config
	// problems are what is wrong with the whole: secrets that are not set here are no
	// matter.
	problems *config.Error
	routes   *route.Table
}

func (s *settings) Config() *config.Config { return s.config }
func (s *settings) Routes() *route.Table   { return s.routes }

// readSettings reads of the configuration what can be read without its secrets.
func (c *cli) readSettings() (*settings, error) {
	cfg, err := c.load(nil)
	if wrong, ok := errors.AsType[*config.Error](err); ok && wrong.Partial != nil {
		return &settings{config: wrong.Partial, problems: wrong}, nil
	}
	if err != nil {
		return nil, err
	}
	return &settings{config: cfg}, nil
}

// sound returns the problems of the keys that are needed, as a whole.
func (s *settings) sound(keys ...string) error {
	if s.problems == nil {
		return nil
	}
	found := &config.Error{}
	for _, p := range s.problems.Problems {
		if slices.ContainsFunc(keys, p.Covers) {
			found.Problems = append(found.Problems, p)
		}
	}
	if len(found.Problems) == 0 {
		return nil
	}
	return found
}

// serviceHere makes the service that a server would have, without one.
func (c *cli) serviceHere(ctx context.Context, f *settings, what need, tell bool) (*service, func() error, error) {
	if err := f.sound("routes"); err != nil {
		return nil, nil, err
	}
	var err error
	if f.routes, err = route.New(f.config.Routes); err != nil {
		return nil, nil, &config.Error{Problems: []config.Problem{f.config.Problem("routes", err.Error())}}
	}
	s := &admin.Service{Settings: f, Program: program()}
	o := api.Options{Service: s, Log: c.errorLog()}
	here, release := &service{}, func() error { return nil }
	if what == needFolders {
		if f.problems != nil {
			return nil, nil, f.problems
		}
		s.Folders = brief{c, f.config}
		if rows, err := c.openDatabase(ctx, f.config); err == nil {
			s.Store, release = rows, rows.Close
		} else if tell {
			c.tell("note: no stored events are looked at:", err)
		}
	}
	if what == needDatabase {
		if err := f.sound("database.url"); err != nil {
			return nil, nil, err
		}
		rows, err := c.openDatabase(ctx, f.config)
		if err != nil {
			return nil, nil, err
		}
		if tell {
			c.tellServing(f.config)
		}
		operator := operate.New(operate.Options{
			Store: rows, Log: slog.New(slog.DiscardHandler), Router: func() operate.Router { return f.routes },
			Targets: func() []string { return targetNames(f.config) },
		})
		s.Store, s.Operate, o.Once, release = rows, operator, rows, rows.Close
		here.work = func(ctx context.Context, text string) error {
			id, err := uuid.Parse(text)
			if err == nil {
				_, err = operator.Run(ctx, id)
			}
			return err
		}
	}
	handler, err := api.New(o) //nolint:contextcheck // requests have their own
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	here.Client = client.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(admin.WithPrincipal(r.Context(), operator())))
	}))
	return here, release, nil
}

// operator is who runs the command: who can open the database may do everything.
func operator() admin.Principal {
	p := admin.Principal{Name: "uid " + strconv.Itoa(os.Getuid()), Via: "database", Role: config.RoleOperate}
	if u, err := user.Current(); err == nil {
		p.Name = u.Username
	}
	return p
}

// tellServing says when a server works the database that could not be asked.
func (c *cli) tellServing(cfg *config.Config) {
	path, ok := sqlitePath(cfg)
	if !ok {
		return // the servers of another database may be anywhere, and look at it by themselves
	}
	if pid, serving := sqlite.Holder(path); serving {
		c.tell("note: hookarr serve, process " + clean(pid, titleWidth) + ", works " + path + " and does not answer at " + cfg.AdminSocket() +
			": name its socket with --socket; it sees within a minute what is changed here")
	}
}

func sqlitePath(cfg *config.Config) (string, bool) {
	return strings.CutPrefix(cfg.Database.URL.Reveal(), "sqlite://")
}

// openDatabase opens the database, which must be there and of this version.
func (c *cli) openDatabase(ctx context.Context, cfg *config.Config) (*store.Store, error) {
	if path, ok := sqlitePath(cfg); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database at %s: hookarr serve makes it", path)
		} else if err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	s, err := app.OpenStore(ctx, cfg.Database.URL, c.errorLog())
	if err != nil {
		return nil, err
	}
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c *cli) errorLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelError}))
}

// getenv looks a variable up.
func (c *cli) getenv(name string) string {
	environ := os.Environ
	if c.environ != nil {
		environ = c.environ
	}
	value := ""
	for _, pair := range environ() {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}
