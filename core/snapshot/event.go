package snapshot

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// changes are fields of an event by the published schema; nil removes one. Events are made
// by changing the plugin's: it may know fields that this version does not.
type changes map[string]any

// apply returns an event with the changes.
func (c changes) apply(raw json.RawMessage) (e sdk.Event, changed json.RawMessage, err error) {
	fields := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &fields); err != nil {
			return e, nil, fmt.Errorf("read event: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if c[name] == nil {
			delete(fields, name)
			continue
		}
		if fields[name], err = json.Marshal(c[name]); err != nil {
			return e, nil, fmt.Errorf("write event: %w", err)
		}
	}
	if changed, err = json.Marshal(fields); err != nil {
		return e, nil, fmt.Errorf("write event: %w", err)
	}
	if err := json.Unmarshal(changed, &e); err != nil {
		return e, nil, fmt.Errorf("read event: %w", err)
	}
	return e, changed, nil
}

// appearance is what the plugin says, now if it does not say when.
func appearance(item host.Item, now time.Time) changes {
	if at := item.Event.Time; !at.IsZero() && at.Unix() != 0 {
		return changes{}
	}
	return changes{"time": now.UTC()}
}

// change is of what happens to an item that stays. It is no part of the story of its
// appearance.
func change(t sdk.Type, summary, fingerprint string, now time.Time) changes {
	return changes{
		"type": t, "native_type": nil, "add_method": nil, "correlation_key": nil,
		"summary": summary, "fingerprint": fingerprint, "time": now.UTC(),
	}
}

// updated says which fields of a title, or that the files, are not what they were.
func updated(item host.Item, is store.Item, fields []string, now time.Time) (changes, string) {
	fingerprint := short([]byte("updated\x00"+item.Key+"\x00"+is.Digest), 16)
	summary := fmt.Sprintf("Updated %s: %s", item.Event.Title, strings.ReplaceAll(strings.Join(fields, ", "), "_", " "))
	c := change(sdk.TypeMediaUpdated, summary, fingerprint, now)
	c["fields"] = fields
	return c, fingerprint
}

// renamed says where a file is now.
func renamed(item host.Item, from, to string, now time.Time) (changes, string) {
	fingerprint := short([]byte("renamed\x00"+item.Key+"\x00"+from+"\x00"+to), 16)
	summary := fmt.Sprintf("Renamed a file of %s to %s", item.Event.Title, path.Base(strings.ReplaceAll(to, `\`, "/")))
	c := change(sdk.TypeFileRenamed, summary, fingerprint, now)
	c["renamed_files"] = []sdk.Rename{{From: from, To: to}}
	return c, fingerprint
}

// gone is what the end of an item is.
func gone(row store.Item, a about, now time.Time) (host.Item, changes) {
	e := sdk.Event{
		Time: now.UTC(), App: a.App, Instance: a.Instance, Type: sdk.TypeMediaDeleted, Title: a.Title, URL: a.URL, Media: a.Media,
		Summary: "Deleted " + a.Title,
	}
	if a.isFile() {
		e.Type, e.DeletedFiles = sdk.TypeFileDeleted, []sdk.File{*a.File}
		e.Summary = "Deleted a file of " + a.Title
	}
	if len(a.Fingerprints) > 0 {
		e.Fingerprint = a.Fingerprints[0]
	}
	raw, _ := json.Marshal(e) // of texts and numbers alone
	return host.Item{Key: row.Key, Parent: row.Parent, Event: e, JSON: raw, GoneFingerprints: a.Fingerprints}, changes{}
}
