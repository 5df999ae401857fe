// Package fakeserver imitates the disks that media servers see. The imitated servers, for
// tests and for trying things out, are in packages below it.
package fakeserver

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Disk is a tree of files as one machine sees it. Paths may be of any form that package
// pathmap knows. The zero value is an empty disk; it may be used concurrently.
type Disk struct {
	mu      sync.Mutex
	entries map[string]entry // by key of path
	gone    map[string]bool  // mounts that are gone, by key, and whether their folder is too
}

type entry struct {
	Entry
	// key and folder are those of its path and of the folder that it is in.
	key, folder string
	// from is when the machine begins to see it.
	from time.Time
}

// Entry is a file or a folder.
type Entry struct {
	Path   string
	Folder bool
	// Size is a file's, in bytes.
	Size int64
	// Changed is when it came, or was replaced.
	Changed time.Time
}

// Add puts a file on the disk, or replaces it, and makes its folders.
func (d *Disk) Add(path string, size int64) { d.AddLater(path, size, 0) }

// AddLater is Add for a file that the machine sees only after some time, as on a network's
// disk.
func (d *Disk) AddLater(path string, size int64, after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path = pathmap.Clean(path)
	now := time.Now()
	d.mkdir(pathmap.Dir(path), now.Add(after))
	d.put(Entry{Path: path, Size: size, Changed: now}, now.Add(after))
}

func (d *Disk) put(e Entry, from time.Time) {
	key := pathmap.Canonical(e.Path)
	d.entries[key] = entry{Entry: e, key: key, folder: pathmap.Canonical(pathmap.Dir(e.Path)), from: from}
}

// under reports whether a path is another or in it, by their keys.
func under(key, folder string) bool {
	rest, ok := strings.CutPrefix(key, folder)
	if folder == "/" {
		return ok && !strings.HasPrefix(key, "//") // which is a server's share
	}
	return ok && (rest == "" || rest[0] == '/')
}

// Mkdir makes a folder and those that it is in.
func (d *Disk) Mkdir(folder string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mkdir(pathmap.Clean(folder), time.Now())
}

func (d *Disk) mkdir(folder string, from time.Time) {
	if d.entries == nil {
		d.entries = map[string]entry{}
	}
	for {
		if e, ok := d.entries[pathmap.Canonical(folder)]; !ok || from.Before(e.from) {
			d.put(Entry{Path: folder, Folder: true, Changed: time.Now()}, from)
		}
		up := pathmap.Dir(folder)
		if up == folder {
			return
		}
		folder = up
	}
}

// Remove takes a file from the disk, or a folder with all that is in it. The folders that
// it was in stay.
func (d *Disk) Remove(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := pathmap.Canonical(path)
	for at := range d.entries {
		if under(at, key) {
			delete(d.entries, at)
		}
	}
}

// Rename moves a file.
func (d *Disk) Rename(from, to string) {
	d.mu.Lock()
	e, ok := d.entries[pathmap.Canonical(from)]
	d.mu.Unlock()
	if ok {
		d.Add(to, e.Size)
		d.Remove(from)
	}
}

// Unmount takes away what is in a folder, until Mount. The folder itself stays and is
// empty, as a mount point is, or with it goes too.
func (d *Disk) Unmount(folder string, with bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone == nil {
		d.gone = map[string]bool{}
	}
	d.gone[pathmap.Canonical(folder)] = with
}

// Mount brings back what Unmount took away.
func (d *Disk) Mount(folder string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.gone, pathmap.Canonical(folder))
}

func (d *Disk) visible(e entry, now time.Time) bool {
	if now.Before(e.from) {
		return false
	}
	for mount, with := range d.gone {
		if under(e.key, mount) && (with || e.key != mount) {
			return false
		}
	}
	return true
}

// Stat returns what is at a path.
func (d *Disk) Stat(path string) (Entry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.entries[pathmap.Canonical(path)]
	return e.Entry, ok && d.visible(e, time.Now())
}

// List returns what is in a folder, by name. It reports false when there is no such
// folder.
func (d *Disk) List(folder string) ([]Entry, bool) {
	if e, ok := d.Stat(folder); !ok || !e.Folder {
		return nil, false
	}
	key := pathmap.Canonical(folder)
	return d.choose(func(e entry) bool { return e.folder == key && e.key != key }), true
}

// Files returns all files under a folder, by path.
func (d *Disk) Files(folder string) []Entry {
	key := pathmap.Canonical(folder)
	return d.choose(func(e entry) bool { return !e.Folder && under(e.key, key) })
}

// Paths returns the paths of all files in a folder and below it, or of a file itself. It
// reports false where there is nothing.
func (d *Disk) Paths(at string) ([]string, bool) {
	var all []string
	for _, e := range d.Files(at) {
		all = append(all, e.Path)
	}
	_, ok := d.Stat(at)
	return all, ok
}

func (d *Disk) choose(want func(entry) bool) []Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	var all []Entry
	for _, e := range d.entries {
		if d.visible(e, now) && want(e) {
			all = append(all, e.Entry)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}
