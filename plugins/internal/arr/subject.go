package arr

import (
	"cmp"
	"strconv"

	"github.com/hookarr/hookarr/sdk"
)

// Subject is the title that a webhook is about, as keys need it.
type Subject struct {
	// Kind is movie, series, artist, album, author or book.
	Kind string
	// Key tells the title from others of the same instance. It is empty when the
	// webhook names none.
	Key string
	// Folder is the title's on the application's disk.
	Folder string
	// OneFile says that a title has one file, as movies do.
	OneFile bool
}

// correlationKey ties together what happens to the title.
func (s Subject) correlationKey() string { return Key(s.Kind, s.Key) }

// fileKey ties together what happens to a file of the title, or to the title when it
// is not about one file.
func (s Subject) fileKey(f *File) string {
	if f == nil {
		return s.correlationKey()
	}
	return cmp.Or(Key(s.Kind, s.Key, "file", cmp.Or(string(f.ID), f.RelativePath, Base(f.Path))), s.correlationKey())
}

// fileFingerprint tells files apart by their ids, which an application gives once,
// and without one by path and size. It is empty for a payload without a file.
func (s Subject) fileFingerprint(kind string, f *File, more ...string) string {
	if f == nil {
		return ""
	}
	if f.ID != "" {
		return Fingerprint(kind, append([]string{"id", string(f.ID)}, more...)...)
	}
	return s.pathFingerprint(kind, f, more...)
}

// pathFingerprint tells files apart by path and size.
func (s Subject) pathFingerprint(kind string, f *File, more ...string) string {
	if f == nil {
		return ""
	}
	path := Path(s.Folder, f.RelativePath, f.Path)
	if path == "" {
		return ""
	}
	return Fingerprint(kind, append([]string{"path", path, strconv.FormatInt(f.Size.Size(), 10)}, more...)...)
}

// file is the one that an import or a deletion is about.
func (s Subject) file(f *File) []sdk.File {
	if f == nil {
		return nil
	}
	return Files(s.Folder, *f)
}
