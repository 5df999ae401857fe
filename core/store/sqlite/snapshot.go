package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

const (
	itemCols        = `key, parent, run, digest, fields, about, found, found_at`
	findSnapshotSQL = `SELECT state FROM snapshots WHERE source = ?`
	saveSnapshotSQL = `
INSERT INTO snapshots (source, updated_at, state) VALUES (?1, ?2, ?3)
ON CONFLICT (source) DO UPDATE SET updated_at = excluded.updated_at, state = excluded.state`
	findItemsSQL = `
SELECT ` + itemCols + ` FROM inventory WHERE source = ?1 AND key IN (SELECT value FROM json_each(?2))`
	foundItemsSQL = `
SELECT ` + itemCols + ` FROM inventory INDEXED BY inventory_found_idx WHERE source = ? AND found IS NOT NULL ORDER BY parent, key LIMIT ?`
	goneTitlesSQL = `
SELECT ` + itemCols + ` FROM inventory INDEXED BY inventory_titles_idx WHERE source = ? AND run < ? AND (run, key) > (?, ?) AND parent = '' ORDER BY run, key LIMIT ?`
	goneFilesSQL = `
SELECT ` + itemCols + ` FROM inventory INDEXED BY inventory_files_idx WHERE source = ? AND run < ? AND (run, key) > (?, ?) AND parent <> '' ORDER BY run, key LIMIT ?`
	countGoneSQL = `
SELECT
	(SELECT count(*) FROM inventory INDEXED BY inventory_titles_idx WHERE source = ?1 AND run < ?2 AND parent = '' AND digest <> ''),
	(SELECT count(*) FROM inventory f INDEXED BY inventory_files_idx WHERE source = ?1 AND run < ?2 AND parent <> '' AND digest <> ''
		AND NOT EXISTS (SELECT 1 FROM inventory t WHERE t.source = ?1 AND t.key = f.parent AND t.run < ?2))`
	saveItemSQL = `
INSERT INTO inventory (source, key, parent, run, digest, fields, about, found, found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, key) DO UPDATE SET parent = excluded.parent, run = excluded.run, digest = excluded.digest,
	fields = excluded.fields, about = excluded.about, found = excluded.found, found_at = excluded.found_at`
	seeItemsSQL  = `UPDATE inventory SET run = ?1 WHERE source = ?2 AND key IN (SELECT value FROM json_each(?3))`
	dropItemsSQL = `DELETE FROM inventory WHERE source = ?1 AND key IN (SELECT value FROM json_each(?2))`
	dropFilesSQL = `
DELETE FROM inventory WHERE rowid IN (
	SELECT rowid FROM inventory INDEXED BY inventory_parent_idx
	WHERE source = ?1 AND parent IN (SELECT value FROM json_each(?2)) AND parent <> '' AND run < ?3)`
	purgeItemsSQL = `
DELETE FROM inventory WHERE rowid IN (
	SELECT i.rowid FROM snapshots s INDEXED BY snapshots_updated_at_idx CROSS JOIN inventory i ON i.source = s.source
	WHERE s.updated_at < ?1 LIMIT ?2)`
	// forgetSnapshotsSQL has the next run of a source whose items are being deleted know that
	// nothing is known. Its number is above those of the items that are left.
	forgetSnapshotsSQL = `UPDATE snapshots SET state = json_object('run', state ->> '$.run') WHERE updated_at < ?`
	purgeSnapshotsSQL  = `DELETE FROM snapshots WHERE updated_at < ?`
)

// AskSnapshot has what a source has read now.
func (e *Engine) AskSnapshot(ctx context.Context, source string) (running bool, err error) {
	if running, err = store.Hurry(ctx, e.jobs, store.SnapshotArgs{Source: source}); err == nil {
		e.notifier.NotifyInsert(store.SnapshotQueue)
	}
	return running, err
}

// FindSnapshot returns the state of a source's snapshot.
func (e *Engine) FindSnapshot(ctx context.Context, source string) (store.Snapshot, error) {
	return scanSnapshot(source, e.read.QueryRowContext(ctx, findSnapshotSQL, source))
}

func scanSnapshot(source string, row scanner) (state store.Snapshot, err error) {
	var data []byte
	if err := row.Scan(&data); err != nil {
		return state, notFound(err)
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return state, fmt.Errorf("decode the snapshot of %s: %w", source, err)
	}
	state.Source = source
	return state, nil
}

func scanItem(row scanner) (i store.Item, err error) {
	var found sql.NullInt64
	err = row.Scan(&i.Key, &i.Parent, &i.Run, &i.Digest, &i.Fields, &i.About, &i.Found, &found)
	i.FoundAt = fromMicros(found.Int64)
	return i, err
}

// FindItems returns items by their keys.
func (e *Engine) FindItems(ctx context.Context, source string, keys []string) ([]store.Item, error) {
	list, err := listed(keys)
	if err != nil {
		return nil, err
	}
	return collect(ctx, e.read, scanItem, findItemsSQL, source, list)
}

// FoundItems returns items that are to be told yet.
func (e *Engine) FoundItems(ctx context.Context, source string, limit int) ([]store.Item, error) {
	return collect(ctx, e.read, scanItem, foundItemsSQL, source, limit)
}

// GoneItems returns items that a run has not seen.
func (e *Engine) GoneItems(ctx context.Context, source string, run int, titles bool, after store.Item, limit int) ([]store.Item, error) {
	query := goneFilesSQL
	if titles {
		query = goneTitlesSQL
	}
	return collect(ctx, e.read, scanItem, query, source, run, after.Run, after.Key, limit)
}

// CountGone counts what a run has not seen.
func (e *Engine) CountGone(ctx context.Context, source string, run int) (titles, files int, err error) {
	err = e.read.QueryRowContext(ctx, countGoneSQL, source, run).Scan(&titles, &files)
	return titles, files, err
}

// listed is a list for json_each.
func listed(texts []string) (string, error) {
	data, err := json.Marshal(texts)
	if err != nil {
		return "", fmt.Errorf("encode keys: %w", err)
	}
	return string(data), nil
}

func (t *tx) LockSnapshot(ctx context.Context, source string) (store.Snapshot, error) {
	state, err := scanSnapshot(source, t.QueryRowContext(ctx, findSnapshotSQL, source))
	if errors.Is(err, store.ErrNotFound) {
		return store.Snapshot{Source: source}, nil
	}
	return state, err
}

func (t *tx) SaveSnapshot(ctx context.Context, state *store.Snapshot) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode the snapshot of %s: %w", state.Source, err)
	}
	return t.exec(ctx, saveSnapshotSQL, state.Source, t.now, string(data))
}

func (t *tx) SaveItems(ctx context.Context, source string, items []store.Item) error {
	for _, i := range items {
		err := t.exec(ctx, saveItemSQL, source, i.Key, i.Parent, i.Run, i.Digest, i.Fields, notNull(i.About), i.Found, orNull(i.FoundAt))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) SeeItems(ctx context.Context, source string, keys []string, run int) error {
	list, err := listed(keys)
	if err != nil {
		return err
	}
	return t.exec(ctx, seeItemsSQL, run, source, list)
}

func (t *tx) DropItems(ctx context.Context, source string, keys []string) error {
	list, err := listed(keys)
	if err != nil {
		return err
	}
	return t.exec(ctx, dropItemsSQL, source, list)
}

func (t *tx) DropFilesOf(ctx context.Context, source string, titles []string, run int) error {
	list, err := listed(titles)
	if err != nil {
		return err
	}
	return t.exec(ctx, dropFilesSQL, source, list, run)
}

func (t *tx) PurgeSnapshots(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	before := t.now - olderThan.Microseconds()
	if err := t.exec(ctx, forgetSnapshotsSQL, before); err != nil {
		return 0, err
	}
	n, err := t.changed(ctx, purgeItemsSQL, before, limit)
	if err != nil || n > 0 {
		return n, err
	}
	return t.changed(ctx, purgeSnapshotsSQL, before)
}
