package mediaserver

import (
	"cmp"
	"slices"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// folder is one that is to be scanned, with what for.
type folder struct {
	library *Library
	path    string
	changes []*change
	// comes says that something is to be there that was not, or was another.
	comes bool
}

// folderKey is what is the same for two folders that are one.
type folderKey struct{ library, path string }

// maxFolders is how many folders are scanned by themselves. Where there are more, one scan of
// the library is less, and what is remembered of more would not fit into a receipt.
const maxFolders = 2000

// foldersOf gathers the changes by the folders to scan, each of which is in no other.
// Those where something comes are first: a file that moved is to be found in its new place
// before the server notices that the old one is empty.
func foldersOf(changes []change) []*folder { return gathered(changes, false) }

// gathered is foldersOf. With wide, the folders are those of the libraries.
func gathered(changes []change, wide bool) []*folder {
	var all []*folder
	byKey := map[folderKey]*folder{}
	for i := range changes {
		c := &changes[i]
		if c.library == nil {
			continue
		}
		key := folderKey{c.library.ID, pathmap.Canonical(c.folder)}
		f := byKey[key]
		if f == nil {
			f = &folder{library: c.library, path: c.folder}
			byKey[key] = f
			all = append(all, f)
		}
		f.add(c)
	}
	var tops []*folder
	for _, f := range all {
		top := f
		for at, up := f.path, pathmap.Dir(f.path); !pathmap.Equal(at, up) && up != at; at, up = up, pathmap.Dir(up) {
			if o := byKey[folderKey{f.library.ID, pathmap.Canonical(up)}]; o != nil {
				top = o
			}
		}
		if top == f {
			tops = append(tops, f)
			continue
		}
		top.changes = append(top.changes, f.changes...)
		top.comes = top.comes || f.comes
	}
	if len(tops) > maxFolders && !wide {
		for i := range changes {
			if c := &changes[i]; c.library != nil {
				c.folder = cmp.Or(c.library.Root(c.folder), c.folder)
			}
		}
		return gathered(changes, true)
	}
	slices.SortStableFunc(tops, func(a, b *folder) int {
		switch {
		case a.comes == b.comes:
			return 0
		case a.comes:
			return -1
		default:
			return 1
		}
	})
	return tops
}

func (f *folder) add(c *change) {
	f.changes = append(f.changes, c)
	f.comes = f.comes || !c.Gone
}

// scan is the request for a folder, at one that exists.
func (f *folder) scan(at string, again int) Scan {
	s := Scan{Library: *f.library, Folder: at, Again: again}
	for _, c := range f.changes {
		s.Changes = append(s.Changes, c.Change)
	}
	return s
}
