package snapshot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// about is what the end of an item has to tell, and what its row is found again by.
type about struct {
	App          string     `json:"app,omitempty"`
	Instance     string     `json:"instance,omitempty"`
	Title        string     `json:"title"`
	URL          string     `json:"url,omitempty"`
	Media        *sdk.Media `json:"media,omitempty"`
	File         *sdk.File  `json:"file,omitempty"`
	Fingerprint  string     `json:"fingerprint,omitempty"`
	Fingerprints []string   `json:"gone,omitempty"`
}

func aboutOf(item host.Item) about {
	e := item.Event
	a := about{
		App: e.App, Instance: e.Instance, Title: e.Title, URL: e.URL, Fingerprint: e.Fingerprint, Fingerprints: item.GoneFingerprints,
	}
	if m := e.Media; m != nil {
		a.Media = &sdk.Media{Kind: m.Kind, ID: m.ID, Title: m.Title, Year: m.Year, IDs: m.IDs, Path: m.Path}
	}
	if item.Parent == "" {
		return a
	}
	a.File = &sdk.File{}
	if len(e.Files) > 0 {
		f := e.Files[0]
		a.File = &sdk.File{ID: f.ID, Path: f.Path, RelativePath: f.RelativePath, SizeBytes: f.SizeBytes, Quality: f.Quality}
	}
	return a
}

func (a about) isFile() bool { return a.File != nil }

func (a about) path() string {
	if a.File == nil {
		return ""
	}
	return a.File.Path
}

// parts of an event of a title, beside media, that may change.
var parts = []string{"episodes", "albums", "tracks"}

// digestOf returns the Digest and the Fields of an item, of what may change. What changes
// by itself is left out: a folder grows with each import, which is told by that.
func digestOf(item host.Item) (digest, fields string, err error) {
	var e map[string]json.RawMessage
	if err := json.Unmarshal(item.JSON, &e); err != nil {
		return "", "", fmt.Errorf("read item %s: %w", item.Key, err)
	}
	if item.Parent != "" {
		digest, err = fileDigest(item, e)
		return digest, "", err
	}
	media := map[string]json.RawMessage{}
	if raw, ok := e["media"]; ok {
		if err := json.Unmarshal(raw, &media); err != nil {
			return "", "", fmt.Errorf("read the title of item %s: %w", item.Key, err)
		}
	}
	delete(media, "id")
	delete(media, "size_bytes")
	for _, part := range parts {
		if raw, ok := e[part]; ok {
			media[part] = raw
		}
	}
	hashes := make([]string, 0, len(media))
	for _, name := range slices.Sorted(maps.Keys(media)) {
		hashes = append(hashes, name+":"+short(media[name], 6))
	}
	fields = strings.Join(hashes, ",")
	return short([]byte(fields), 16), fields, nil
}

// fileDigest is a digest of what a file is, and one of where it is, which a rename changes alone.
func fileDigest(item host.Item, e map[string]json.RawMessage) (string, error) {
	var files []map[string]json.RawMessage
	if raw, ok := e["files"]; ok {
		if err := json.Unmarshal(raw, &files); err != nil {
			return "", fmt.Errorf("read the file of item %s: %w", item.Key, err)
		}
	}
	for _, f := range files {
		delete(f, "path")
		delete(f, "relative_path")
	}
	rest, err := json.Marshal(files)
	if err != nil {
		return "", fmt.Errorf("write the file of item %s: %w", item.Key, err)
	}
	return short(rest, 12) + "." + short([]byte(aboutOf(item).path()), 12), nil
}

// short is n bytes of a hash as text.
func short(data []byte, n int) string {
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:n])
}

// changedFields are the names of what differs between the Fields of two readings of a title, sorted.
func changedFields(was, is string) []string {
	read := func(fields string) map[string]string {
		all := map[string]string{}
		for field := range strings.SplitSeq(fields, ",") {
			if name, hash, ok := strings.Cut(field, ":"); ok {
				all[name] = hash
			}
		}
		return all
	}
	before, after := read(was), read(is)
	var names []string
	for name, hash := range after {
		if before[name] != hash {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// otherFile reports whether a file is another than it was, wherever it is.
func otherFile(was, is string) bool {
	before, _, _ := strings.Cut(was, ".")
	after, _, _ := strings.Cut(is, ".")
	return before != after
}

// rowOf is an item as the inventory keeps it.
func rowOf(item host.Item, run int) (store.Item, error) {
	digest, fields, err := digestOf(item)
	if err != nil {
		return store.Item{}, err
	}
	data, err := json.Marshal(aboutOf(item))
	if err != nil {
		return store.Item{}, fmt.Errorf("write item %s: %w", item.Key, err)
	}
	return store.Item{Key: item.Key, Parent: item.Parent, Run: run, Digest: digest, Fields: fields, About: data}, nil
}

// record is an item as JSON: the request of its events, and what is kept of it until it is
// told.
type record struct {
	Key              string          `json:"key"`
	Parent           string          `json:"parent,omitempty"`
	Event            json.RawMessage `json:"event"`
	GoneFingerprints []string        `json:"gone_fingerprints,omitempty"`
}

func recordOf(item host.Item) ([]byte, error) {
	data, err := json.Marshal(record{item.Key, item.Parent, item.JSON, item.GoneFingerprints})
	if err != nil {
		return nil, fmt.Errorf("write item %s: %w", item.Key, err)
	}
	return data, nil
}

// readRecord is the other way.
func readRecord(data []byte) (item host.Item, err error) {
	var r record
	if err = json.Unmarshal(data, &r); err == nil {
		item = host.Item{Key: r.Key, Parent: r.Parent, JSON: r.Event, GoneFingerprints: r.GoneFingerprints}
		err = json.Unmarshal(r.Event, &item.Event)
	}
	if err != nil {
		return host.Item{}, fmt.Errorf("read what was found: %w", err)
	}
	return item, nil
}
