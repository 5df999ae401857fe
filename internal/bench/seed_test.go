package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
)

func TestSeeding(t *testing.T) {
	t.Parallel()

	id, delivery := uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
	for _, c := range []struct {
		name, url string
		schema    []string
	}{
		{postgres, testpg.New(t), []string{
			`CREATE TABLE events (id uuid PRIMARY KEY, received_at timestamptz, n bigint GENERATED ALWAYS AS IDENTITY, body bytea, fingerprint text)`,
			`CREATE TABLE deliveries (id uuid PRIMARY KEY, event_id uuid, state text, not_before timestamptz)`,
			`CREATE TABLE dedup (event_id uuid, key text PRIMARY KEY, expires_at timestamptz)`,
			`CREATE TABLE nodes (name text PRIMARY KEY)`,
			`INSERT INTO events (id, received_at, body, fingerprint) VALUES ('` + id + `', now(), '\x00', 'f')`,
			`INSERT INTO deliveries VALUES ('` + delivery + `', '` + id + `', 'delivered', 'epoch')`,
			`INSERT INTO dedup VALUES ('` + id + `', 'short', now() + interval '10 minutes'), ('` + id + `', 'long', now() + interval '90 minutes')`,
			`INSERT INTO nodes VALUES ('one')`,
		}},
		{sqlite, sqliteScheme + filepath.Join(t.TempDir(), "seeded.db"), []string{
			`CREATE TABLE events (id BLOB PRIMARY KEY, received_at INTEGER, body BLOB, fingerprint TEXT)`,
			`CREATE TABLE deliveries (id BLOB PRIMARY KEY, event_id BLOB, state TEXT, not_before INTEGER) WITHOUT ROWID`,
			`CREATE TABLE dedup (event_id BLOB, key TEXT PRIMARY KEY, expires_at INTEGER)`,
			`CREATE TABLE nodes (name TEXT PRIMARY KEY)`,
			`INSERT INTO events VALUES (unhex('` + id + `', '-'), unixepoch() * 1000000, x'00', 'f')`,
			`INSERT INTO deliveries VALUES (unhex('` + delivery + `', '-'), unhex('` + id + `', '-'), 'delivered', 0)`,
			`INSERT INTO dedup VALUES (unhex('` + id + `', '-'), 'short', (unixepoch() + 600) * 1000000), (unhex('` + id + `', '-'), 'long', (unixepoch() + 5400) * 1000000)`,
			`INSERT INTO nodes VALUES ('one')`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()

			ctx := context.Background()
			db, err := openSQL(ctx, c.url)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			for _, statement := range c.schema {
				_, err := db.ExecContext(ctx, statement)
				require.NoError(t, err, statement)
			}
			require.NoError(t, seeding{events: 12, oldest: 2 * time.Hour, newest: time.Hour, dead: 4}.fill(ctx, c.url))

			count := func(query string) (n int) {
				require.NoError(t, db.QueryRowContext(ctx, query).Scan(&n), query)
				return n
			}
			require.Equal(t, 13, count(`SELECT count(DISTINCT fingerprint) FROM events`))
			require.Equal(t, 13, count(`SELECT count(*) FROM events e JOIN deliveries d ON d.event_id = e.id`))
			require.Equal(t, 3, count(`SELECT count(*) FROM deliveries WHERE state = 'dead'`))
			require.Equal(t, 1, count(`SELECT count(*) FROM nodes`))
			require.Equal(t, 13, count(`SELECT count(DISTINCT not_before) * 13 FROM deliveries`), "no time is none in a copy, too")
			// Copies that are older than 90 minutes have no keys left, and no copy has
			// the short one.
			require.InDelta(t, 2+6, count(`SELECT count(*) FROM dedup`), 1)
			require.Equal(t, 13, count(`SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY id) AS a, row_number() OVER (ORDER BY received_at) AS b FROM events) o WHERE a = b`),
				"ids and times are in the same order")
		})
	}
}
