package sdk

import "context"

// Snapshotter is the power of FeatureSnapshot: it reads what the application has. The
// host compares that with what it had, and tells what no webhook told.
type Snapshotter interface {
	// Snapshot returns one page. An error is for people to read; the host then goes on at
	// the same cursor later, maybe after a restart of the plugin.
	Snapshot(ctx context.Context, q SnapshotQuery) (SnapshotPage, error)
}

// SnapshotQuery asks for a page.
type SnapshotQuery struct {
	// Cursor is where the last page ended; empty to begin.
	Cursor string
	// Limit is the most items wanted.
	Limit int
}

// SnapshotPage is one page of what the application has.
type SnapshotPage struct {
	Items []Item
	// Cursor is where the next call goes on. With More it is not the one of the query. It
	// names the last item, by an order that stays: after a deletion, a number of items would
	// leave one out, which the host takes for deleted.
	Cursor string
	More   bool
	// Total is how many items there are, or 0 when the application does not say.
	Total int
}

// Item is one title or file that the application has. The same item has the same bytes
// at each reading until something of it changes: nothing in it is of the moment.
type Item struct {
	// Key tells it from all others of the source, and stays: movie/12, file/77.
	Key string
	// Parent is the key of the title that a file belongs to; empty for a title.
	Parent string
	// Event is what the item's appearance is, as it is now: TypeMediaAdded for a title, with
	// its episodes or albums, or TypeMediaImported for a file. Its fingerprint is the one
	// that the webhook of the appearance has.
	Event Event
	// GoneFingerprints are those of the webhooks that may tell of its disappearance: at most
	// 20, the likeliest first.
	GoneFingerprints []string
}
