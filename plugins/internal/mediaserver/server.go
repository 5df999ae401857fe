// Package mediaserver is what all targets of media servers share: it turns a delivery's
// events into paths that a server is to have or to lose, has the narrowest folders
// scanned, and asks the server until it shows what it was told.
//
// An answer of 2xx to a scan says that it is queued, and often not even that. Only the
// file's own path among the server's items proves it.
package mediaserver

import (
	"context"
	"errors"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Server is what differs between media servers. Its methods are called concurrently. Paths
// are the server's own. Their errors keep the classes of package sdk; [JSON] makes them.
type Server interface {
	// Check proves that the address, the credentials and their rights are right, and
	// returns what the server says of itself: "1.41.3 on media". It has no effect.
	Check(ctx context.Context) (string, error)
	// Libraries returns all libraries, read afresh.
	Libraries(ctx context.Context) ([]Library, error)
	// Scan asks for one scan. A nil error says that the server took the request. ErrBusy says
	// that it would be lost now, ErrStale that the library's id is not known any more.
	Scan(ctx context.Context, s Scan) error
	// Find returns the files that the server has of those that the query names, and may return
	// more. A file that the server knows to be gone is left out.
	Find(ctx context.Context, q Query) ([]Item, error)
}

// Looker is a Server that tells what it sees on its disks. Without it, no scan waits for a
// file to appear, and a disk that is gone is not noticed.
type Looker interface {
	// List returns the names of all that is in a folder. The error matches fs.ErrNotExist
	// when the server does not see the folder, and errors.ErrUnsupported when this version of
	// the server does not tell.
	List(ctx context.Context, folder string) ([]string, error)
}

// Prober is a Looker that lists the folders in a folder and not its files, and tells of any
// path whether it is there.
type Prober interface {
	Looker
	Sees(ctx context.Context, path string) (bool, error)
}

// Busier is a Server that tells whether it scans a library.
type Busier interface {
	Busy(ctx context.Context, l Library) (bool, error)
}

// Scoper is a Server that wants other folders scanned than the ones that files are in.
type Scoper interface {
	// Scope returns the folder to scan for a change, such as a root of the library.
	Scope(l Library, c Change) string
}

// TitleFinder is a Server that finds titles by their ids elsewhere, for the proposal of a
// map.
type TitleFinder interface {
	// FindTitle returns the folder of a title, or nothing where the library does not have it.
	FindTitle(ctx context.Context, l Library, t sdk.FolderTitle) (string, error)
}

var (
	// ErrBusy is returned by Scan when the server would drop the request.
	ErrBusy = errors.New("the server scans already")
	// ErrStale is returned for an id that the server does not know any more. The libraries
	// are read again, once.
	ErrStale = errors.New("the server does not know the id any more")
)

// Library is one of a server's libraries.
type Library struct {
	ID   string
	Name string
	// Kinds are those of sdk.Media that it holds; none is any.
	Kinds []string
	Roots []string
}

// Root is the deepest of the library's roots that a path is in, or nothing.
func (l Library) Root(path string) string {
	best := ""
	for _, root := range l.Roots {
		if pathmap.Under(path, root) && len(root) > len(best) {
			best = root
		}
	}
	return best
}

// Title is what a change belongs to. Its Path is the server's, and empty where the event
// does not say which folder is the title's own.
type Title = sdk.FolderTitle

// Change is a path that is to be there, or to be gone.
type Change struct {
	Title Title
	Path  string
	// Gone says that the server is to lose it.
	Gone bool
	// Folder says that Path is a folder: it stands for all that is below it.
	Folder bool
	// Fresh says that nothing was there before, as far as the event tells: an import that
	// replaces nothing.
	Fresh bool
}

// Scan is one request to scan.
type Scan struct {
	Library Library
	// Folder exists, as far as the server can tell, and is in the library.
	Folder string
	// Changes are what the scan is for; all are below Folder. Those that are gone by an
	// upgrade are among them.
	Changes []Change
	// Again counts the scans of this folder that came to nothing before.
	Again int
}

// Query asks for the files of one title.
type Query struct {
	Library Library
	Title   Title
	// Paths are of files, and of folders for all files below them.
	Paths []string
	// Events are those that the title's changes come from.
	Events []sdk.Event
	// Absence says that some of the paths are to be gone: what is not found is taken for that.
	Absence bool
	// Thorough says that a look at the likely places did not help: the file may be under
	// another title.
	Thorough bool
}

// Item is a file that a server has.
type Item struct {
	// ID is that of the movie, the episode or the track; URL its page, if there is one.
	ID, URL string
	// TitleID and TitleURL are those of the movie, the series or the artist; empty is unknown.
	TitleID, TitleURL string
	// Path is the file's.
	Path string
	// Size is the file's in bytes, as the server knows it; zero is unknown.
	Size int64
	// Title and IDs are of the movie, the series or the artist that the server takes the
	// file for. IDs are keyed like those of sdk.Media; none are unknown.
	Title string
	IDs   map[string]string
	// Note says, in one sentence, why the item is less than a proof; empty for none.
	Note string
}
