package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/store"
)

const (
	itemCols        = `key, parent, run, digest, fields, about, found, found_at`
	findSnapshotSQL = `SELECT state FROM snapshots WHERE source = $1`
	makeSnapshotSQL = `INSERT INTO snapshots (source, state) VALUES ($1, '{}') ON CONFLICT (source) DO NOTHING`
	lockSnapshotSQL = findSnapshotSQL + ` FOR UPDATE`
	saveSnapshotSQL = `UPDATE snapshots SET updated_at = now(), state = $2 WHERE source = $1`
	// byKey looks for each key by itself: without numbers of what the table holds, the planner
	// may read all items of a source instead.
	byKey = `unnest($2::text[]) AS k (key), LATERAL (SELECT ctid, * FROM inventory WHERE source = $1 AND key = k.key LIMIT 1) i`

	findItemsSQL = `
SELECT i.key, i.parent, i.run, i.digest, i.fields, i.about, i.found, i.found_at FROM ` + byKey
	foundItemsSQL = `
SELECT ` + itemCols + ` FROM inventory WHERE source = $1 AND found IS NOT NULL ORDER BY source, parent, key LIMIT $2`
	// goneTitlesSQL and goneFilesSQL are in an order, so that the planner takes the index
	// whatever it knows.
	goneTitlesSQL = `
SELECT ` + itemCols + ` FROM inventory WHERE source = $1 AND run < $2 AND (run, key) > ($3, $4) AND parent = '' ORDER BY source, run, key LIMIT $5`
	goneFilesSQL = `
SELECT ` + itemCols + ` FROM inventory WHERE source = $1 AND run < $2 AND (run, key) > ($3, $4) AND parent <> '' ORDER BY source, run, key LIMIT $5`
	countGoneSQL = `
SELECT
	(SELECT count(*) FROM inventory WHERE source = $1 AND run < $2 AND parent = '' AND digest <> ''),
	(SELECT count(*) FROM inventory f WHERE source = $1 AND run < $2 AND parent <> '' AND digest <> ''
		AND (SELECT t.run < $2 FROM inventory t WHERE t.source = f.source AND t.key = f.parent) IS NOT TRUE)`
	saveItemsSQL = `
INSERT INTO inventory (source, key, parent, run, digest, fields, about, found, found_at)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::timestamptz[])
ON CONFLICT (source, key) DO UPDATE SET parent = excluded.parent, run = excluded.run, digest = excluded.digest,
	fields = excluded.fields, about = excluded.about, found = excluded.found, found_at = excluded.found_at`
	// seeItemsSQL and the next ones are run by who has locked the snapshot: the rows stay where
	// they are meanwhile. dropFilesSQL adds 0 to keep the planner from the index of runs.
	seeItemsSQL  = `UPDATE inventory SET run = $3 WHERE ctid = ANY(ARRAY(SELECT i.ctid FROM ` + byKey + `))`
	dropItemsSQL = `DELETE FROM inventory WHERE ctid = ANY(ARRAY(SELECT i.ctid FROM ` + byKey + `))`
	dropFilesSQL = `
DELETE FROM inventory WHERE ctid = ANY(ARRAY(
	SELECT i.ctid FROM unnest($2::text[]) AS k (key), LATERAL (
		SELECT ctid FROM inventory WHERE source = $1 AND parent = k.key AND parent <> '' AND run + 0 < $3 OFFSET 0) i))`
	// purgeItemsSQL takes the oldest snapshot that has items, in the order of its keys.
	purgeItemsSQL = `
DELETE FROM inventory i WHERE (i.source, i.key) IN (
	SELECT l.source, l.key FROM (
		SELECT source FROM snapshots WHERE updated_at < now() - $1::bigint * interval '1 microsecond' ORDER BY updated_at
	) s, LATERAL (SELECT source, key FROM inventory WHERE source = s.source ORDER BY source, key LIMIT $2) l LIMIT $2)`
	// forgetSnapshotsSQL has the next run of a source whose items are being deleted know that
	// nothing is known. Its number is above those of the items that are left.
	forgetSnapshotsSQL = `
UPDATE snapshots SET state = json_build_object('run', state::json->'run')::text WHERE updated_at < now() - $1::bigint * interval '1 microsecond'`
	purgeSnapshotsSQL = `DELETE FROM snapshots WHERE updated_at < now() - $1::bigint * interval '1 microsecond'`
)

// AskSnapshot has what a source has read now.
func (e *Engine) AskSnapshot(ctx context.Context, source string) (running bool, err error) {
	return store.Hurry(ctx, e.jobs, store.SnapshotArgs{Source: source})
}

// FindSnapshot returns the state of a source's snapshot.
func (e *Engine) FindSnapshot(ctx context.Context, source string) (store.Snapshot, error) {
	return scanSnapshot(source, e.pool.QueryRow(ctx, findSnapshotSQL, source))
}

func scanSnapshot(source string, row pgx.Row) (state store.Snapshot, err error) {
	var data []byte
	if err := row.Scan(&data); err != nil {
		return state, oneLine(notFound(err))
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return state, fmt.Errorf("decode the snapshot of %s: %w", source, err)
	}
	state.Source = source
	return state, nil
}

func scanItem(rows pgx.Rows) (i store.Item, err error) {
	var found pgtype.Timestamptz
	err = rows.Scan(&i.Key, &i.Parent, &i.Run, &i.Digest, &i.Fields, &i.About, &i.Found, &found)
	if found.Valid {
		i.FoundAt = found.Time.UTC()
	}
	return i, err
}

// FindItems returns items by their keys.
func (e *Engine) FindItems(ctx context.Context, source string, keys []string) ([]store.Item, error) {
	rows, err := e.pool.Query(ctx, findItemsSQL, source, keys)
	return collect(rows, err, scanItem)
}

// FoundItems returns items that are to be told yet.
func (e *Engine) FoundItems(ctx context.Context, source string, limit int) ([]store.Item, error) {
	rows, err := e.pool.Query(ctx, foundItemsSQL, source, limit)
	return collect(rows, err, scanItem)
}

// GoneItems returns items that a run has not seen.
func (e *Engine) GoneItems(ctx context.Context, source string, run int, titles bool, after store.Item, limit int) ([]store.Item, error) {
	query := goneFilesSQL
	if titles {
		query = goneTitlesSQL
	}
	rows, err := e.pool.Query(ctx, query, source, run, after.Run, after.Key, limit)
	return collect(rows, err, scanItem)
}

// CountGone counts what a run has not seen.
func (e *Engine) CountGone(ctx context.Context, source string, run int) (titles, files int, err error) {
	err = e.pool.QueryRow(ctx, countGoneSQL, source, run).Scan(&titles, &files)
	return titles, files, err
}

func (t *tx) LockSnapshot(ctx context.Context, source string) (store.Snapshot, error) {
	if _, err := t.Exec(ctx, makeSnapshotSQL, source); err != nil {
		return store.Snapshot{}, err
	}
	return scanSnapshot(source, t.QueryRow(ctx, lockSnapshotSQL, source))
}

func (t *tx) SaveSnapshot(ctx context.Context, state *store.Snapshot) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode the snapshot of %s: %w", state.Source, err)
	}
	_, err = t.Exec(ctx, saveSnapshotSQL, state.Source, string(data))
	return err
}

func (t *tx) SaveItems(ctx context.Context, source string, items []store.Item) error {
	n := len(items)
	keys, parents, digests, fields := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	runs, abouts, founds := make([]int64, n), make([][]byte, n), make([][]byte, n)
	at := make(pgtype.FlatArray[pgtype.Timestamptz], n)
	for k, i := range items {
		keys[k], parents[k], runs[k], digests[k], fields[k], founds[k] = i.Key, i.Parent, int64(i.Run), i.Digest, i.Fields, i.Found
		at[k] = pgtype.Timestamptz{Time: i.FoundAt, Valid: !i.FoundAt.IsZero()}
		if abouts[k] = i.About; i.About == nil {
			abouts[k] = []byte{} // the column takes no null
		}
	}
	_, err := t.Exec(ctx, saveItemsSQL, source, keys, parents, runs, digests, fields, abouts, founds, at)
	return err
}

func (t *tx) SeeItems(ctx context.Context, source string, keys []string, run int) error {
	_, err := t.Exec(ctx, seeItemsSQL, source, keys, run)
	return err
}

func (t *tx) DropItems(ctx context.Context, source string, keys []string) error {
	_, err := t.Exec(ctx, dropItemsSQL, source, keys)
	return err
}

func (t *tx) DropFilesOf(ctx context.Context, source string, titles []string, run int) error {
	_, err := t.Exec(ctx, dropFilesSQL, source, titles, run)
	return err
}

func (t *tx) PurgeSnapshots(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	// The states first: a run that begins meanwhile goes on from them.
	if _, err := t.Exec(ctx, forgetSnapshotsSQL, olderThan.Microseconds()); err != nil {
		return 0, err
	}
	n, err := affected(t.Exec(ctx, purgeItemsSQL, olderThan.Microseconds(), limit))
	if err != nil || n > 0 {
		return n, err
	}
	return affected(t.Exec(ctx, purgeSnapshotsSQL, olderThan.Microseconds()))
}
