package host

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// What an item may have. Longer fingerprints would not be found again by what keeps them.
const (
	maxGone        = 20
	maxFingerprint = 1 << 10
	// maxCursor bounds what is kept of a page with each step, in bytes.
	maxCursor = 4 << 10
)

// Snapshot is one page of what a source's application has.
type Snapshot struct {
	Items []Item
	// Cursor is where the next call goes on.
	Cursor string
	More   bool
	// Total is how many items there are, or 0 for an unknown number.
	Total int
}

// Item is one title or file that an application has.
type Item struct {
	Key, Parent string
	// Event has no time of its own and an empty id. JSON is the event as the plugin sent it.
	Event            sdk.Event
	JSON             json.RawMessage
	GoneFingerprints []string
}

// Snapshot has a source's instance read one page of what its application has. The error
// matches ErrUnsupported for an instance that cannot.
func (c *Client) Snapshot(ctx context.Context, instance string, q sdk.SnapshotQuery) (Snapshot, error) {
	resp, err := c.snapshot.ListItems(ctx, &pluginv1.ListItemsRequest{
		Instance: instance, Cursor: q.Cursor, Limit: uint32(max(0, min(q.Limit, maxPage))),
	})
	if err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot: %w", supported(err))
	}
	if n := len(resp.GetItems()); n > maxPage {
		return Snapshot{}, fmt.Errorf("read snapshot: %w: page of %d items, more than %d", ErrAnswer, n, maxPage)
	}
	if c := resp.GetCursor(); len(c) > maxCursor || strings.Contains(c, "\x00") {
		return Snapshot{}, fmt.Errorf("read snapshot: %w: cursor of %d bytes, more than %d, or with U+0000", ErrAnswer, len(c), maxCursor)
	}
	page := Snapshot{Cursor: resp.GetCursor(), More: resp.GetMore(), Total: count(resp.GetTotal())}
	for _, item := range resp.GetItems() {
		e, err := readEvent(item.GetEvent())
		switch {
		case err != nil:
			return Snapshot{}, fmt.Errorf("read snapshot: %w", err)
		case item.GetKey() == "", len(item.GetKey()) > maxMessage, e.Type == "", e.Title == "":
			return Snapshot{}, fmt.Errorf("read snapshot: %w: item %q without key, type or title", ErrAnswer, line(item.GetKey(), maxName))
		}
		gone := first(item.GetGoneFingerprints(), maxGone)
		for i := range gone {
			gone[i] = cut(gone[i], maxFingerprint)
		}
		page.Items = append(page.Items, Item{
			Key: item.GetKey(), Parent: cut(item.GetParent(), maxMessage), Event: e, JSON: item.GetEvent(), GoneFingerprints: gone,
		})
	}
	return page, nil
}
