package session_test

import (
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// database is one with a session of ann.
type database struct {
	*session.Sessions
	store  *store.Store
	path   string
	config *config.Config
	secret string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{path: filepath.Join(t.TempDir(), "hookarr.db"), config: &config.Config{Admin: config.Admin{
		Tokens: []config.AdminToken{{Name: "ann", Role: config.RoleView, Token: "0123456789abcdef"}},
	}}}
	var err error
	d.store, err = sqlite.Open(t.Context(), d.path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.store.Close()) })
	require.NoError(t, d.store.Migrate(t.Context()))
	d.Sessions = &session.Sessions{Store: d.store, Log: slog.New(slog.DiscardHandler)}
	d.secret, err = d.Begin(t.Context(), d.config, ann(), session.Browser{Agent: "Browser/1"})
	require.NoError(t, err)
	return d
}

func ann() admin.Principal {
	return admin.Principal{Name: "ann", Via: admin.ViaToken, Role: config.RoleView}
}

func (d *database) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func (d *database) find(t *testing.T) (admin.Principal, bool) {
	t.Helper()
	p, ok, err := d.Find(t.Context(), d.config, d.secret)
	require.NoError(t, err)
	return p, ok
}

func (d *database) row(t *testing.T) store.Session {
	t.Helper()
	list, err := d.store.ListSessions(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

// TestUseIsNoted no more often than once a minute.
func TestUseIsNoted(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.exec(t, "UPDATE sessions SET seen_at = seen_at - 50 * 1000000")
	before := d.row(t)
	_, ok := d.find(t)
	require.True(t, ok)
	require.Equal(t, before, d.row(t))
	d.exec(t, "UPDATE sessions SET seen_at = seen_at - 60 * 1000000, expires_at = expires_at - 60 * 1000000")
	before = d.row(t)
	p, ok := d.find(t)
	require.True(t, ok)
	require.Len(t, p.Session, 64)
	p.Session = ""
	require.Equal(t, ann(), p)
	require.True(t, d.row(t).SeenAt.After(before.SeenAt))
	require.True(t, d.row(t).ExpiresAt.After(before.ExpiresAt))
}

// TestRowsAreNoWayIn: who can read the table is not let in by it, and a row that was changed
// is over.
func TestRowsAreNoWayIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"another role":  "UPDATE sessions SET role = 'operate'",
		"another name":  "UPDATE sessions SET who = 'root'",
		"another way":   "UPDATE sessions SET via = 'link', role = 'operate'",
		"another proof": "UPDATE sessions SET proof = x'00'",
		"no proof":      "UPDATE sessions SET proof = x''",
	} {
		d := newDatabase(t)
		d.exec(t, change)
		_, ok := d.find(t)
		require.False(t, ok, name)
		list, err := d.store.ListSessions(t.Context())
		require.NoError(t, err)
		require.Empty(t, list, name)
	}
	d := newDatabase(t)
	row := d.row(t)
	for _, guess := range []string{string(row.ID[:]), string(row.Proof), d.secret + "=", d.secret[1:], strings.Repeat("A", 43), ""} {
		_, ok, err := d.Find(t.Context(), d.config, guess)
		require.NoError(t, err)
		require.False(t, ok)
	}
}

func TestBeginNeedsAWay(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for _, p := range []admin.Principal{
		{},
		{Name: "bob", Via: admin.ViaToken, Role: config.RoleView},
		{Name: "ann", Via: admin.ViaToken, Role: config.RoleOperate},
		{Name: "ann", Via: admin.ViaOIDC, Role: config.RoleView},
		{Name: "ann", Via: admin.ViaProxy, Role: config.RoleView},
	} {
		_, err := d.Begin(t.Context(), d.config, p, session.Browser{})
		require.ErrorContains(t, err, "the configuration lets nobody in by this way")
	}
}

func TestAgentsAreCut(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	require.NoError(t, d.End(t.Context(), d.secret))
	for _, agent := range []string{strings.Repeat("é", 5000), "x" + strings.Repeat("é", 5000), strings.Repeat("\xff", 5000)} {
		secret, err := d.Begin(t.Context(), d.config, ann(), session.Browser{Agent: agent})
		require.NoError(t, err)
		require.LessOrEqual(t, len(d.row(t).Agent), 203)
		require.True(t, strings.HasSuffix(d.row(t).Agent, "…"))
		require.NoError(t, d.End(t.Context(), secret))
	}
	require.NoError(t, d.End(t.Context(), "no secret"))
}

// FuzzCookies: whatever a browser sends, nobody is let in and nothing breaks.
func FuzzCookies(f *testing.F) {
	for _, header := range []string{
		"hookarr-session=" + strings.Repeat("A", 43), `hookarr-session="x"; hookarr-session=y`, "hookarr-session", "=;=;", "hookarr-session=\x00",
		"__Host-hookarr-session=x", strings.Repeat("hookarr-session=x;", 100),
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{header}
		given := session.Given(r, nil)
		require.LessOrEqual(t, len(given), 4)
		for _, secret := range given {
			require.NotEmpty(t, secret)
			if id, ok := store.IDOf(secret); ok {
				require.Len(t, secret, 43)
				require.False(t, id.IsZero())
			}
		}
	})
}
