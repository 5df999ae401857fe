package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// The inventory of the seeded database is radarr's, with as many titles, each with a file,
// and of run 2. Those up to SeededGone are of run 1, those above SeededFound are to be told
// yet, and as many others are sonarr's, whose snapshot was not read for long.
const (
	SeededItems = 50_000
	SeededGone  = 300
	SeededFound = 49_700
)

// inventory is what a snapshot reads and changes.
func (Seeded) inventory() []Statement {
	const page = 200
	keys := make([]string, page)
	rows := make([]store.Item, page)
	for i := range keys {
		keys[i] = fmt.Sprintf("movie/%d", 1000+i)
		rows[i] = store.Item{Key: keys[i], Run: 3, Digest: "d"}
	}
	count := func(list []store.Item, err error) (int, error) { return len(list), err }
	return []Statement{
		{"FindSnapshot", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.FindSnapshot(ctx, "radarr")
			return 1, err
		}},
		{"FindItems", func(ctx context.Context, e store.Engine) (int, error) { return count(e.FindItems(ctx, "radarr", keys)) }},
		{"FoundItems", func(ctx context.Context, e store.Engine) (int, error) {
			return count(e.FoundItems(ctx, "radarr", page))
		}},
		{"GoneItems", func(ctx context.Context, e store.Engine) (n int, err error) {
			for _, titles := range []bool{true, false} {
				list, err := e.GoneItems(ctx, "radarr", 2, titles, store.Item{Run: 1, Key: "file/2"}, page)
				if n += len(list); err != nil {
					return n, err
				}
			}
			return n, nil
		}},
		{"GoneItems of none", func(ctx context.Context, e store.Engine) (int, error) {
			return count(e.GoneItems(ctx, "radarr", 1, true, store.Item{Run: -1}, page))
		}},
		{"CountGone", func(ctx context.Context, e store.Engine) (int, error) {
			titles, files, err := e.CountGone(ctx, "radarr", 2)
			return titles + max(files, SeededGone), err // it looks at the files of titles that are gone
		}},
		undone("a page of a snapshot", func(ctx context.Context, tx store.Tx) (int, error) {
			state, err := tx.LockSnapshot(ctx, "radarr")
			if err != nil {
				return 0, err
			}
			return 2 * page, errors.Join(tx.SaveItems(ctx, "radarr", rows), tx.SeeItems(ctx, "radarr", keys, 4), tx.SaveSnapshot(ctx, &state))
		}),
		undone("what is gone", func(ctx context.Context, tx store.Tx) (int, error) {
			return 2 * page, errors.Join(tx.DropFilesOf(ctx, "radarr", keys, 3), tx.DropItems(ctx, "radarr", keys))
		}),
		undone("DropKeysBelow", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.DropKeysBelow(ctx, "radarr", []string{"fp:400000", "fp:new"}, event.NewID())
		}),
		undone("PurgeSnapshots", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeSnapshots(ctx, time.Hour, page) }),
		undone("PurgeSnapshots of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.PurgeSnapshots(ctx, 10*365*24*time.Hour, page)
		}),
	}
}
