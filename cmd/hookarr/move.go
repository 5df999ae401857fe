package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/sdk"
)

// moveVariable holds the URL of the other database, which lists of processes do not show.
const moveVariable = "HOOKARR_MOVE_TO"

// moveOptions are the flags of hookarr move.
type moveOptions struct {
	to, toFile  string
	undo, force bool
}

func (c *cli) newMove() *cobra.Command {
	var o moveOptions
	cmd := c.tables(&cobra.Command{
		Use:   "move",
		Short: "Move everything to another database",
		Long: `Move copies everything from the database of database.url to another one, which is empty:
from SQLite to Postgres, from Postgres to SQLite, or to another place of the same kind.
Events, deliveries and their attempts, groups that wait, holds and pauses, silences,
history, sessions and the schedule come along. It compares both databases in the end.

Stop the server first: move refuses while one runs on either database, and none starts
meanwhile. It may be ended at any moment and run again: it goes on where it was, or begins
anew if a server has run in between. The other database cannot be served before the end,
and this one not after it. Then change database.url to the other one.

A password in --to is seen in the list of processes. Give the URL in the environment
variable ` + moveVariable + `, or in a file with --to-file.

Undo lets this database be served again, if the other one was not served since. With
--force and without --to it does so where the other one is lost: what that has delivered
is delivered again, and what it has taken is gone.`,
		Example: `  hookarr move --to postgres://hookarr@db.example/hookarr
  ` + moveVariable + `=postgres://hookarr:secret@db.example/hookarr hookarr move
  hookarr move --to sqlite:///var/lib/hookarr/hookarr.db
  hookarr move --undo --to-file /run/secrets/database-url`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.move(cmd.Context(), o) },
	})
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "the `URL` of the other database, as database.url has it")
	flags.StringVar(&o.toFile, "to-file", "", "a `FILE` with the URL")
	flags.BoolVar(&o.undo, "undo", false, "take the move back")
	flags.BoolVar(&o.force, "force", false, "take it back although the other database is lost")
	cmd.MarkFlagsMutuallyExclusive("to", "to-file")
	completeFlag(cmd, "to", cobra.NoFileCompletions)
	completeFlag(cmd, "to-file", files)
	return cmd
}

// maxURL bounds a file that holds one, in bytes.
const maxURL = 64 << 10

// otherURL is where to move to; empty where nothing says it.
func (c *cli) otherURL(o moveOptions) (string, error) {
	if o.toFile == "" {
		if o.to == "" {
			return strings.TrimSpace(c.getenv(moveVariable)), nil
		}
		return o.to, nil
	}
	text, _, err := config.ReadFile(o.toFile, maxURL)
	if err != nil {
		return "", fmt.Errorf("--to-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (c *cli) move(ctx context.Context, o moveOptions) error {
	target, err := c.otherURL(o)
	switch {
	case err != nil:
		return err
	case o.force && (!o.undo || target != ""):
		return usagef("--force goes with --undo, and without a URL")
	case target == "" && !o.force:
		return usagef("want --to URL, --to-file FILE, or %s: the other database", moveVariable)
	}
	settings, err := c.readSettings()
	if err == nil {
		err = settings.sound("database.url")
	}
	if err != nil {
		return err
	}
	from, err := c.openSide(ctx, settings.config.Database.URL.Reveal(), true)
	if err != nil {
		return err
	}
	defer func() { _ = from.Store.Close() }()
	options := move.Options{Say: func(line string) { c.endLine(); c.tell(clean(line, whole)) }, Tell: c.tellMove()}
	if o.force {
		if err := move.Abandon(ctx, from, options); err != nil {
			return err
		}
		return c.say("%s can be served again", from.Name)
	}
	to, err := c.openSide(ctx, target, o.undo)
	if err != nil {
		return err
	}
	defer func() { _ = to.Store.Close() }()
	if o.undo {
		if err := move.Undo(ctx, from, to, options); err != nil {
			return err
		}
		return c.say("%s can be served again, and %s not", from.Name, to.Name)
	}
	begun := time.Now()
	result, err := move.Move(ctx, from, to, options)
	c.endLine()
	if err != nil {
		return err
	}
	return c.showMove(result, settings.config, time.Since(begun))
}

// openSide opens a database, which must be there already or is made.
func (c *cli) openSide(ctx context.Context, text string, there bool) (move.Side, error) {
	scheme, path, _ := strings.Cut(text, "://")
	name := ""
	switch {
	case path == "":
	case scheme == "sqlite":
		absolute, err := filepath.Abs(path)
		if err != nil {
			return move.Side{}, fmt.Errorf("find %s: %w", path, err)
		}
		if _, err := os.Stat(absolute); there && errors.Is(err, fs.ErrNotExist) {
			return move.Side{}, fmt.Errorf("there is no database at %s", absolute)
		}
		name = "sqlite://" + absolute
		text = name
	case scheme == "postgres" || scheme == "postgresql":
		name = withoutPassword(text)
	}
	if name == "" {
		// Not the one that was given: it may hold a password.
		return move.Side{}, usagef("the URL of a database is sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE")
	}
	s, err := app.OpenStore(ctx, sdk.Secret(text), c.errorLog())
	if err != nil {
		return move.Side{}, err
	}
	return move.Side{Store: s, Name: name}, nil
}

// withoutPassword is a URL of Postgres for people.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "postgres://[redacted]"
	}
	if _, has := u.User.Password(); has {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for key := range query {
		if strings.Contains(strings.ToLower(key), "password") {
			query.Del(key)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// tellEvery is the time between lines about the progress where no line can be written over.
const tellEvery = 10 * time.Second

// tellMove tells how far the copy has come.
func (c *cli) tellMove() func(move.Progress) {
	begun := time.Now()
	last := begun
	return func(p move.Progress) {
		text := progressLine(p, time.Since(begun))
		if c.live {
			c.rewrite(text)
		} else if time.Since(last) >= tellEvery {
			last = time.Now()
			c.tell(text)
		}
	}
}

// progressLine says how far a copy has come after a time, and how long the rest takes at the
// same pace.
func progressLine(p move.Progress, elapsed time.Duration) string {
	if p.Rows == 0 {
		return "copying " + p.Table
	}
	seconds := max(elapsed.Seconds(), 0.001)
	left := time.Duration(seconds * float64(p.Total-p.Rows) / float64(p.Rows) * float64(time.Second))
	return fmt.Sprintf("copying %s: %d%% of %s rows, %s, %s rows/s, about %s left", p.Table, 100*p.Rows/max(p.Total, p.Rows), humanize.Comma(p.Total),
		humanize.IBytes(uint64(p.Bytes)), humanize.Comma(int64(float64(p.Rows)/seconds)), left.Round(time.Second))
}

// moved is a move as JSON.
type moved struct {
	move.Result
	Seconds float64 `json:"seconds"`
	// ConfigFile and ConfigKey are what is to be changed now, to To with its password.
	ConfigFile string `json:"config_file"`
	ConfigKey  string `json:"config_key"`
}

func (c *cli) showMove(r move.Result, cfg *config.Config, elapsed time.Duration) error {
	const key = "database.url"
	place := cfg.Problem(key, "")
	if c.json {
		return c.printJSON(moved{Result: r, Seconds: elapsed.Seconds(), ConfigFile: place.File, ConfigKey: key})
	}
	var rows int64
	lines := [][]string{{"TABLE", "ROWS", "SHA-256 OF BOTH"}}
	for _, s := range r.Tables {
		rows += s.Rows
		lines = append(lines, []string{s.Table, strconv.FormatInt(s.Rows, 10), s.Digest})
	}
	if r.Already {
		if err := c.say("%s was moved to %s already", r.From, r.To); err != nil {
			return err
		}
	} else {
		if err := c.table(lines...); err != nil {
			return err
		}
		if err := c.say("\n%s rows are moved to %s, and equal there; copied in %s.", humanize.Comma(rows), r.To, elapsed.Round(time.Second/10)); err != nil {
			return err
		}
	}
	where := place.File
	if place.Line > 0 {
		where += ":" + strconv.Itoa(place.Line)
	}
	return c.say(`Now change %s in %s to %s%s, and start hookarr serve.
%s is kept as it was, and is not served any more. Delete it when you do not need it.`,
		key, where, r.To, passwordHint(r.To), r.From)
}

// passwordHint says what the URL of a database is shown without.
func passwordHint(name string) string {
	if strings.HasPrefix(name, "postgres") {
		return " (with its password)"
	}
	return ""
}
