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
	// webhook names none. Mostly it is a row number, which another instance, or the
	// same after its backup was restored, gives to another title.
	Key string
	// External is the title's id where its metadata come from. It is the one id that
	// the application knows from the first, since others arrive later.
	External string
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

// fingerprint is that of what happens to the title and stands in no history. The row
// number tells a title that was deleted and added again from itself; the instance
// tells two that have the same title in folders of the same name. It is empty when the
// row number is all that is known of the title.
func (s Subject) fingerprint(kind string, p *Payload) string {
	if s.External == "" && s.Folder == "" {
		return ""
	}
	return Fingerprint(kind+" "+s.Kind, append([]string{s.External, s.Folder, s.Key}, p.instance()...)...)
}

// fileFingerprint tells files apart by path and size. The row number, which histories
// know too, tells a file that was deleted and imported again from itself. It is empty
// when the row number is all that is known of the file.
func (s Subject) fileFingerprint(kind string, f *File) string {
	if f == nil {
		return ""
	}
	return s.storedFingerprint(kind, f, strconv.FormatInt(f.Size.Size(), 10))
}

// storedFingerprint is fileFingerprint for files of which the history does not know the
// size.
func (s Subject) storedFingerprint(kind string, f *File, more ...string) string {
	path := Path(s.Folder, f.RelativePath, f.Path)
	if path == "" {
		return ""
	}
	return Fingerprint(kind, append([]string{"path", path, string(f.ID)}, more...)...)
}

// file is the one that an import or a deletion is about.
func (s Subject) file(f *File) []sdk.File {
	if f == nil {
		return nil
	}
	return Files(s.Folder, *f)
}
