package main

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
)

// What is printed runs, also twice, whatever the names are, and gives what it says.
func TestCatalogueGrant(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	owner, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer func() { _ = owner.Close(t.Context()) }()
	_, err = owner.Exec(t.Context(), `CREATE SCHEMA "Media-1"; CREATE TABLE "Media-1".titles (id int); CREATE TABLE other (id int)`)
	require.NoError(t, err)

	// Roles are the whole server's, and it may be one that other tests use.
	suffix := strings.TrimPrefix(owner.Config().Database, "hookarr_test_")
	for _, role := range []string{"reader_" + suffix, `o'Brien "\` + suffix, "$$" + suffix} {
		file := write(t, `
targets: {library: {plugin: catalogue, config: {url: "`+address+`", schema: Media-1}}}
`)
		r := run(t, "catalogue", "grant", role, "--config", file)
		require.Equal(t, exitOK, r.code, r.err)
		for range 2 {
			_, err = owner.Exec(t.Context(), r.out)
			require.NoError(t, err, r.out)
		}
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			again, err := pgx.Connect(ctx, address)
			require.NoError(t, err)
			_, err = again.Exec(ctx, "DROP OWNED BY "+identifier(role)+"; DROP ROLE "+identifier(role))
			require.NoError(t, err)
			require.NoError(t, again.Close(ctx))
		})
		_, err = owner.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS "Media-1".later (id int)`)
		require.NoError(t, err)

		config, err := pgx.ParseConfig(address)
		require.NoError(t, err)
		config.User = role
		reader, err := pgx.ConnectConfig(t.Context(), config)
		require.NoError(t, err)
		_, err = reader.Exec(t.Context(), `SELECT id FROM "Media-1".titles UNION ALL SELECT id FROM "Media-1".later`)
		require.NoError(t, err)
		for _, refused := range []string{
			`INSERT INTO "Media-1".titles VALUES (1)`, `DROP TABLE "Media-1".titles`, `CREATE TABLE "Media-1".mine (id int)`, `SELECT id FROM public.other`,
		} {
			_, err = reader.Exec(t.Context(), refused)
			require.ErrorContains(t, err, "SQLSTATE 42501", refused)
		}
		require.NoError(t, reader.Close(t.Context()))
	}
}

func TestCatalogueGrantOfFiles(t *testing.T) {
	t.Parallel()
	file := write(t, `
targets:
  files: {plugin: catalogue, config: {url: "dir:///srv/media"}}
  library: {plugin: catalogue, config: {url: "sqlite:///srv/it's here/catalogue.db"}}
  server: {plugin: catalogue, config: {url: "postgres://hookarr@db/media", password: "${NOT_SET}"}}
  wrong: {plugin: catalogue, config: {url: "/srv/catalogue.db"}}
  lines: {plugin: catalogue, config: {url: "sqlite:///srv/a\nDROP TABLE titles;"}}
  ops: {plugin: webhook, config: {url: "http://127.0.0.1:1/"}}
`)
	for _, tt := range []struct {
		args     []string
		out, err string
		code     int
	}{
		{args: []string{"grafana", "--target", "files"}, out: `in the directory /srv/media: for each source titles.json`},
		{args: []string{"grafana", "--target", "library"}, out: `Open it read-only: sqlite3 'file:/srv/it%27s%20here/catalogue.db\?mode=ro'\n`},
		{args: []string{"grafana", "--target", "server"}, out: `GRANT USAGE ON SCHEMA "hookarr_catalogue" TO "grafana";\n`},
		{args: []string{"grafana", "--target", "wrong"}, err: `targets.wrong.config.url: needs to begin with postgres://`, code: exitError},
		{args: []string{"grafana", "--target", "lines"}, err: `targets.lines.config.url: has control characters`, code: exitError},
		{args: []string{"grafana", "--target", "ops"}, err: `no target with the plugin catalogue is called "ops"; there are files, library, lines, server, wrong\n`, code: exitUsage},
		{args: []string{"a\nb", "--target", "files"}, err: `has 1 to 63 bytes`, code: exitUsage},
		{args: []string{strings.Repeat("a", 64), "--target", "files"}, err: `has 1 to 63 bytes`, code: exitUsage},
		{args: nil, err: `give USER`, code: exitUsage},
	} {
		r := run(t, append(append([]string{"catalogue", "grant"}, tt.args...), "--config", file)...)
		require.Equal(t, tt.code, r.code, "%v\n%s%s", tt.args, r.out, r.err)
		require.Regexp(t, tt.out, r.out, tt.args)
		require.Regexp(t, tt.err, r.err, tt.args)
	}
}

func TestGrantShowsNoPassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("postgres://hookarr:t0ken@db/media?sslmode=disable&password=t0ken")
	require.NoError(t, err)
	shown := grants("library", u, "s", "grafana")
	require.NotContains(t, shown, "t0ken")
	require.Contains(t, shown, "'postgres://hookarr@db/media?sslmode=disable'")
}
