package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/backup"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	fill(t, s)
	require.NoError(t, s.Close())
	to := filepath.Join(t.TempDir(), "hookarr.backup")
	r := run(t, "backup", to, "--config", file)
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.err)
	require.Regexp(t, `\A`+to+` is written and checked: 0\.\d MiB
taken         \d{4}-\S+ \S+ UTC by hookarr \S+, schema \d+\.\d+, from sqlite
events        3
deliveries    4
dead letters  0
owed          3 deliveries, the oldest of \d{4}-\S+ \S+ UTC
\z`, r.out)
	r = run(t, "backup", to, "--config", file)
	require.Equal(t, result{code: exitError, err: "hookarr: back up: " + to + " is there already: name another file, or replace it with --force\n"}, r)
	r = run(t, "backup", to, "--force", "--json", "--config", file)
	require.Zero(t, r.code, r.err)
	var wrote backup.Summary
	require.NoError(t, json.Unmarshal([]byte(r.out), &wrote))
	require.EqualValues(t, 3, wrote.Owed.Deliveries)

	r = run(t, "restore", to, "--config", file)
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^hookarr: restore: the database \S+ is not empty: replace it with --force, which keeps it beside the restored one\n$`, r.err)
	r = run(t, "restore", to, "--force", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, to+" is restored\n")
	require.Regexp(t, `(?m)^replaced      the former database is \S+/hookarr.db.replaced-\d{8}T\d{6}Z$`, r.out)
	require.Contains(t, r.out, "hookarr serve sends what is owed; what was delivered after the backup goes out again, with the id that it had\n")

	r = run(t, "restore", to, "--force", "--hold", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "3 targets are paused: look with hookarr deliveries list --state pending, then let them go with\n"+
		"  hookarr targets resume chat\n  hookarr targets resume ops\n")
	r = run(t, "targets", "list", "--config", file)
	require.Regexp(t, `(?m)^chat +\S+ +paused .* restored from a backup: look first$`, r.out)

	r = run(t, "restore", to+"-none", "--force", "--config", file)
	require.Equal(t, result{code: exitError, err: "hookarr: restore: there is no file " + to + "-none\n"}, r)
}

// Neither needs the secrets of plugins, and both say which key is wrong.
func TestBackupNeedsTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, `
database: {url: "sqlite://`+dir+`/none.db"}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: ["${NOT_SET}"]}}]}}
`)
	r := run(t, "backup", filepath.Join(dir, "x"), "--config", file)
	require.Equal(t, result{code: exitError, err: "hookarr: back up: there is no database at " + dir + "/none.db: hookarr serve makes it\n"}, r)
	r = run(t, "backup", filepath.Join(dir, "x"), "--config", write(t, `database: {url: "${NOT_SET}"}`))
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "database.url")
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)
	require.True(t, strings.HasPrefix(run(t, "backup").err, "hookarr: give FILE\n"))
}
