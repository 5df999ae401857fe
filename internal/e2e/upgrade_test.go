package e2e

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/migrations"
)

// formerDatabases are the databases that former versions left when they were killed. The
// README there says how they are made.
const formerDatabases = "testdata/upgrade"

// neverLast are the versions of the schema that came in one change with a later one: no
// Hookarr has left them.
func neverLast(version int64) bool { return version >= 5 && version <= 10 }

// Whoever adds a migration adds the database that the version before it leaves.
func TestFormerDatabasesAreAll(t *testing.T) {
	t.Parallel()
	fsys, err := migrations.SQLite()
	require.NoError(t, err)
	latest, err := migrations.Latest(fsys)
	require.NoError(t, err)
	for version := int64(1); version < latest; version++ {
		for _, engine := range []string{"sqlite", "postgres"} {
			if !neverLast(version) {
				require.FileExists(t, formerDatabase(engine, version), "see %s/README.md", formerDatabases)
			}
		}
	}
}

func formerDatabase(engine string, version int64) string {
	return filepath.Join(formerDatabases, fmt.Sprintf("%s-%04d.sql", engine, version))
}

// TestUpgrade serves what former versions left: what was owed is sent once, and nothing else
// that was there before.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(formerDatabases + "/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := sqliteURL(t)
			if strings.HasPrefix(name, "postgres") {
				url = testpg.New(t)
			}
			loadSQL(t, url, file)
			testUpgrade(t, url)
		})
	}
}

// upgradeTargets are those of internal/olddb that send to an endpoint.
func upgradeTargets() []string {
	return []string{"ok", "retrying", "down", "gone", "refusing", "slow", "later", "grouped", "quiet"}
}

func testUpgrade(t *testing.T, url string) {
	t.Helper()
	before := readLedger(t, url)
	require.NotEmpty(t, before.owed)
	require.NotEmpty(t, before.over)
	endpoint := newReceiver(t)
	var targets strings.Builder
	for _, name := range upgradeTargets() {
		// What is owed is as old as the file.
		yaml := strings.Replace(webhookTarget(endpoint), "ops:", name+":", 1)
		targets.WriteString(strings.Replace(yaml, "max_interval: 2s", "max_interval: 2s, max_age: 876000h", 1) + "\n")
	}
	targets.WriteString("proving: {plugin: chaos, retry: {max_age: 876000h}, config: {prove: 2}}")
	srv := newServer(t, settings{
		database: url, targets: targets.String(), routes: `- {name: everything, types: ["*", test, unknown], to: [ok]}`,
		plugins: ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"), filepath.Join(binaries, "hookarr-target-chaos")),
		top:     "retention: {events: 876000h, dead_letters: 876000h}",
	})
	if strings.HasPrefix(url, "postgres") {
		out, err := srv.cli("migrate")
		require.NoError(t, err, out)
		require.Contains(t, out, "database is ")
	}
	srv.start()
	held := map[string]bool{}
	for id, d := range before.owed {
		held[id] = d.target == "later" && before.paused
	}
	received := func() map[string]int {
		counts := map[string]int{}
		for _, d := range endpoint.all() {
			counts[plainID(d.ID)]++
		}
		return counts
	}
	arrived := func(waits bool) func() bool {
		return func() bool {
			counts, now := received(), readLedger(t, url)
			for id, d := range before.owed {
				if held[id] != waits || d.target == "proving" {
					continue
				}
				// Quiet hours that are over have one message tell what waited.
				if counts[id] == 0 && (d.target != "quiet" || now.states[id] != "superseded") {
					return false
				}
			}
			return true
		}
	}
	require.Eventually(t, arrived(false), waitTimeout, 100*time.Millisecond, "not everything that was owed has arrived")
	if before.paused {
		counts := received()
		for id, waits := range held {
			require.False(t, waits && counts[id] > 0, "a pause that was not ended is over")
		}
		out, err := srv.cli("targets", "resume", "later")
		require.NoError(t, err, out)
		require.Eventually(t, arrived(true), waitTimeout, 100*time.Millisecond)
	}
	require.Eventually(t, func() bool { return readLedger(t, url).settled(before.deferred) }, waitTimeout, 100*time.Millisecond,
		"deliveries or events are left")

	// A dead letter can still be retried, and there is nothing that keeps new events.
	dead := slices.Sorted(maps.Keys(before.dead))[0]
	out, err := srv.cli("deliveries", "retry", dead[:8]+"-"+dead[8:12]+"-"+dead[12:16]+"-"+dead[16:20]+"-"+dead[20:])
	require.NoError(t, err, out)
	require.Equal(t, http.StatusAccepted, srv.post(importBody(99999)).status)
	require.Eventually(t, func() bool { return received()[dead] == 1 && endpoint.counts()[titleOf(99999)] == 1 }, waitTimeout, 50*time.Millisecond)
	require.NoError(t, srv.stop())

	after := readLedger(t, url)
	for id, n := range received() {
		require.Equal(t, 1, n, "delivery %s was sent %d times", id, n)
		require.False(t, before.over[id] && id != dead, "delivery %s was sent before", id)
	}
	for id, digest := range before.events {
		require.Equal(t, digest, after.events[id], "event %s", id)
	}
	for id := range before.states {
		require.NotEmpty(t, after.states[id], "delivery %s is lost", id)
	}
	for id := range before.dead {
		require.Equal(t, id != dead, after.dead[id], "dead letter %s", id)
	}
}

// rows is what a database says of its events and deliveries, in every version.
type rows struct {
	// events have digests of their bodies, by id, and deferred are to be decoded.
	events   map[string]string
	deferred map[string]bool
	// states are those of deliveries by id; owed are to be sent, dead are dead letters, and
	// over are all that are not owed.
	states     map[string]string
	owed       map[string]owed
	dead, over map[string]bool
	// paused is that an operator has paused a target.
	paused bool
}

type owed struct{ target string }

// settled reports whether nothing is owed, or waits to be decoded.
func (r rows) settled(deferred map[string]bool) bool {
	for id := range deferred {
		if r.deferred[id] {
			return false
		}
	}
	return len(r.owed) == 0
}

func readLedger(t *testing.T, url string) rows {
	t.Helper()
	driver, dsn, asText := "pgx", url, "id::text"
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn, asText = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)", "hex(id)"
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	r := rows{
		events: map[string]string{}, deferred: map[string]bool{}, states: map[string]string{}, owed: map[string]owed{},
		dead: map[string]bool{}, over: map[string]bool{},
	}
	each(t, db, "SELECT "+asText+", state, body FROM events", func(id, state string, body []byte) {
		sum := sha256.Sum256(body)
		r.events[plainID(id)] = hex.EncodeToString(sum[:])
		if state == "deferred" {
			r.deferred[plainID(id)] = true
		}
	})
	each(t, db, "SELECT "+asText+", state, target FROM deliveries", func(id, state string, target []byte) {
		id = plainID(id)
		r.states[id] = state
		switch state {
		case "pending", "held", "verifying":
			r.owed[id] = owed{string(target)}
			return
		case "dead":
			r.dead[id] = true
		}
		r.over[id] = true
	})
	var paused int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM targets WHERE hold = 'paused'").Scan(&paused); err == nil {
		r.paused = paused > 0 // the first versions have no such table
	}
	return r
}

// each reads rows of three columns.
func each(t *testing.T, db *sql.DB, query string, see func(a, b string, c []byte)) {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, found.Close()) }()
	for found.Next() {
		var a, b string
		var c []byte
		require.NoError(t, found.Scan(&a, &b, &c))
		see(a, b, c)
	}
	require.NoError(t, found.Err())
}

// plainID is an id as every database and endpoint has it.
func plainID(id string) string { return strings.ToLower(strings.ReplaceAll(id, "-", "")) }

// loadSQL runs the statements of a file.
func loadSQL(t *testing.T, url, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		db, err := sql.Open("sqlite", "file:"+path)
		require.NoError(t, err)
		_, err = db.ExecContext(ctx, "BEGIN;\n"+string(text)+"\nCOMMIT;")
		require.NoError(t, cmp.Or(err, db.Close()))
		return
	}
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	_, err = conn.PgConn().Exec(ctx, string(text)).ReadAll()
	require.NoError(t, cmp.Or(err, conn.Close(ctx)))
}
