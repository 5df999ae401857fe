package folder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/sdk"
)

// keepSeen is how long a delivery is known that was written. Hookarr gives one up after 7
// days unless told otherwise.
const keepSeen = 30 * 24 * time.Hour

// document is titles.json: what a source has, and what later events are compared with.
type document struct {
	Version int `json:"version"`
	// Source, App and Instance are the configured name, the application, and the name that
	// it gives itself.
	Source   string `json:"source"`
	App      string `json:"app"`
	Instance string `json:"instance,omitempty"`
	// Seq is the number of the last change.
	Seq    int64           `json:"seq"`
	Titles json.RawMessage `json:"titles"`
	// Internal is for the plugin alone.
	Internal internal `json:"internal"`

	// as is the file that this was read from or written to.
	as os.FileInfo
}

type internal struct {
	// Seen are the deliveries that were written, and when.
	Seen map[string]time.Time `json:"seen"`
	// Changes are those of the last delivery that had any: after a crash they may be
	// missing in changes.ndjson.
	Changes []change        `json:"changes"`
	Library *library.Memory `json:"library"`
	// Said is the version of the event that App and Instance are from.
	Said library.Version `json:"said"`
}

// read returns a source's document, from memory while the file is the same.
func (f *Folder) read(source string) (*document, error) {
	path := filepath.Join(f.dir, source, titlesFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &document{Version: Version, Source: source, Titles: json.RawMessage("[]"), Internal: internal{Seen: map[string]time.Time{}, Library: &library.Memory{}}}, nil
	}
	if err != nil {
		return nil, err
	}
	if d := f.known[source]; d != nil && os.SameFile(d.as, info) && d.as.ModTime().Equal(info.ModTime()) && d.as.Size() == info.Size() {
		return d, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &document{as: info}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, sdk.Misconfigured(fmt.Errorf("%s is damaged: restore it, or remove it to begin anew: %w", path, err))
	}
	if d.Version > Version {
		return nil, sdk.Misconfigured(fmt.Errorf("%s has version %d, made by a newer plugin, and this one knows version %d: install the newer plugin, or use another directory",
			path, d.Version, Version))
	}
	if d.Internal.Library == nil {
		d.Internal.Library = &library.Memory{}
	}
	if d.Internal.Seen == nil {
		d.Internal.Seen = map[string]time.Time{}
	}
	f.known[source] = d
	return d, nil
}

// apply puts the events of a delivery into the document.
func (d *document) apply(ctx context.Context, delivery string, events []sdk.Event, now time.Time) error {
	var changes []change
	for _, e := range events {
		changed, err := library.Apply(ctx, d.Internal.Library, e)
		if err != nil {
			return err
		}
		for _, c := range changed {
			d.Seq++
			changes = append(changes, newChange(d, c, now))
		}
		if v := library.VersionOf(e); v > d.Internal.Said {
			d.Internal.Said, d.App = v, e.App
			if e.Instance != "" {
				d.Instance = e.Instance
			}
		}
	}
	for id, at := range d.Internal.Seen {
		if now.Sub(at) > keepSeen {
			delete(d.Internal.Seen, id)
		}
	}
	d.Internal.Seen[delivery] = now.UTC()
	if len(changes) > 0 {
		d.Internal.Changes = changes
		var err error
		if d.Titles, err = json.Marshal(titles(d.Internal.Library)); err != nil {
			return fmt.Errorf("write titles: %w", err)
		}
	}
	return nil
}

// titles are what is held, for those who read the file.
func titles(m *library.Memory) []map[string]any {
	all := []map[string]any{}
	at := map[library.Key]map[string]any{}
	for _, t := range m.Titles() {
		if !t.Held {
			continue
		}
		shown := fields(t.Fields)
		shown["kind"], shown["id"], shown["ids"] = t.Kind, t.ID, t.IDs()
		shown["sort_title"] = library.SortTitle(t.Fields.Text("title"))
		shown["updated_at"] = t.Touched().Time()
		for _, list := range []string{"episodes", "albums", "tracks", "files"} {
			shown[list] = []map[string]any{}
		}
		at[t.Key] = shown
		all = append(all, shown)
	}
	add := func(title library.Key, list string, shown map[string]any) {
		if t := at[title]; t != nil {
			known, _ := t[list].([]map[string]any)
			t[list] = append(known, shown)
		}
	}
	for _, p := range m.Parts() {
		if p.Held {
			shown := fields(p.Fields)
			shown["id"], shown["updated_at"] = p.ID, p.Touched().Time()
			add(p.Title, p.Kind+"s", shown)
		}
	}
	for _, file := range m.Files() {
		if file.Held {
			shown := fields(file.Fields)
			delete(shown, "title") // it is listed below it
			delete(shown, "relative_path")
			if relative := file.RelativePath(); relative != "" {
				shown["relative_path"] = relative
			}
			shown["id"], shown["path"], shown["parts"] = file.ID, file.Path, append([]library.Key{}, file.Parts()...)
			shown["imported_at"], shown["updated_at"] = file.Added.Time(), file.Touched().Time()
			add(file.Title(), "files", shown)
		}
	}
	return all
}

// fields are those that have a value, but ids.
func fields(f library.Fields) map[string]any {
	shown := map[string]any{}
	for name := range f {
		if raw := f.Raw(name); raw != nil && !strings.HasPrefix(name, "id:") {
			shown[name] = raw
		}
	}
	return shown
}

// write replaces a source's titles.json at once: whoever reads it sees the old one or the
// new one.
func (f *Folder) write(source string, d *document) error {
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write titles: %w", err)
	}
	dir := filepath.Join(f.dir, source)
	if err := os.MkdirAll(dir, f.dirMode()); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	path := filepath.Join(dir, titlesFile)
	if err := f.replace(path, data); err != nil {
		return errors.Join(err, removed(path+".new"))
	}
	if d.as, err = os.Stat(path); err != nil {
		return err
	}
	f.known[source] = d
	return nil
}

func (f *Folder) replace(path string, data []byte) (err error) {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Chmod(f.mode), file.Close()); err != nil {
		return fmt.Errorf("write titles: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("replace titles: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// removed removes a file that may be there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir has a directory's names on the disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
