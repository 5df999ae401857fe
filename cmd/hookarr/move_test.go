package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
)

// TestMove moves to Postgres and back into another file, by each way to name the other one.
func TestMove(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	for n := range 5 {
		accept(t, s, n, "ops", "chat")
	}
	url := testpg.New(t)
	r := runWith(t, "", []string{moveVariable + "=" + url}, "move", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^TABLE +ROWS +SHA-256 OF BOTH$`, r.out)
	require.Regexp(t, `(?m)^deliveries +10 +[0-9a-f]{32}$`, r.out)
	require.Regexp(t, `(?m)^river_job +10 +[0-9a-f]{32}$`, r.out)
	require.Regexp(t, `(?m)^\d+ rows are moved to postgres://.*, and equal there; copied in .*s\.$`, r.out)
	require.Regexp(t, `(?m)^Now change database\.url in `+regexp.QuoteMeta(file)+`(:\d+)? to postgres://.* \(with its password\), and start hookarr serve\.$`, r.out)

	for _, args := range [][]string{{"events", "list"}, {"migrate"}} {
		r = run(t, append(args, "--config", file)...)
		require.Equal(t, exitError, r.code)
		require.Regexp(t, `the database was moved to postgres://\S+ on \S+ \S+ UTC: set database.url to that one, or take the move back with hookarr move --undo\n$`, r.err)
	}
	r = run(t, "backup", filepath.Join(t.TempDir(), "backup"), "--config", file)
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^hookarr: back up: the database was moved to .*; back it up as it is with --moved\n$`, r.err)
	r = run(t, "backup", filepath.Join(t.TempDir(), "backup"), "--moved", "--config", file)
	require.Zero(t, r.code, r.err)
	moved := write(t, fmt.Sprintf("database: {url: %q}", url))
	r = run(t, "events", "list", "--config", moved)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "Film 4")

	back := filepath.Join(t.TempDir(), "back.db")
	urlFile := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(urlFile, []byte("sqlite://"+back+"\n"), 0o600))
	r = run(t, "move", "--to-file", urlFile, "--json", "--config", moved)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, `"to": "sqlite://`+back+`"`)
	require.Contains(t, r.out, `"config_key": "database.url"`)
	info, err := os.Stat(back)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	r = run(t, "move", "--undo", "--to", "sqlite://"+back, "--config", moved)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `^postgres://\S+ can be served again, and sqlite://\S+ not\n$`, r.out)
	r = run(t, "events", "list", "--config", moved)
	require.Zero(t, r.code, r.err)
	r = run(t, "move", "--undo", "--force", "--config", file)
	require.Zero(t, r.code, r.err)
	require.NoError(t, s.Ready(t.Context()))
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "copying events", progressLine(move.Progress{Table: "events", Total: 5}, 0))
	require.Equal(t, "copying events: 25% of 8,000 rows, 3.0 MiB, 200 rows/s, about 30s left",
		progressLine(move.Progress{Table: "events", Rows: 2000, Total: 8000, Bytes: 3 << 20}, 10*time.Second))
	require.Equal(t, "copying river_queue: 100% of 8,000 rows, 3.0 MiB, 400 rows/s, about 0s left",
		progressLine(move.Progress{Table: "river_queue", Rows: 8000, Total: 8000, Bytes: 3 << 20}, 20*time.Second))
}

// TestMoveIsRefused says what is to be done, and nothing of passwords.
func TestMoveIsRefused(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	require.NoError(t, os.WriteFile(large, make([]byte, maxURL+1), 0o600))
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, `want --to URL, --to-file FILE, or HOOKARR_MOVE_TO: the other database`},
		{[]string{"--to", "mysql://root:hunter2@db/hookarr"}, exitUsage, `the URL of a database is sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE`},
		{[]string{"--to", "postgres://u:hunter2@127.0.0.1:1/db?password=hunter2"}, exitError, `postgres://u@127.0.0.1:1/db: .*refused`},
		{[]string{"--to", "postgres://u:hunter2@host:bad/db"}, exitError, `want postgres://USER`},
		{[]string{"--to-file", "/nowhere"}, exitError, `--to-file: open /nowhere`},
		{[]string{"--to-file", pipe}, exitError, `--to-file: read \S+/pipe: it is a pipe into which nobody has written: name a file`},
		{[]string{"--to-file", large}, exitError, `--to-file: read \S+/large: it is a device or too large`},
		{[]string{"--to-file", "/dev/zero"}, exitError, `--to-file: read /dev/zero: it is a device or too large`},
		{[]string{"--force"}, exitUsage, `--force goes with --undo`},
		{[]string{"--undo", "--to", "sqlite:///nowhere/x.db"}, exitError, `there is no database at /nowhere/x.db`},
		{[]string{"--undo", "--force"}, exitError, `the database was not moved`},
	} {
		r := run(t, append(append([]string{"move"}, tt.args...), "--config", file)...)
		require.Equal(t, tt.code, r.code, r.err)
		require.Regexp(t, tt.want, r.err)
		require.NotContains(t, r.out+r.err, "hunter2")
	}
	require.NoError(t, s.Reserve())
	r := run(t, "move", "--to", "sqlite://"+filepath.Join(t.TempDir(), "to.db"), "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, store.ErrInUse.Error())
}
