package fakearr

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"time"
)

// Title is a movie, scene, series, site, artist or author. Members that an application does
// not know are ignored.
type Title struct {
	// ID is given by the application.
	ID   int
	Name string
	Year int
	// Path is made of the name unless given.
	Path     string
	Overview string
	Genres   []string
	// Tags are labels.
	Tags []string
	// Poster and Fanart are public URLs.
	Poster, Fanart string
	// Released is a date, 2006-01-02. Whisparr v3 fails to announce titles without.
	Released                   string
	TMDB, TVDB, TVMaze         int
	IMDB, MusicBrainz, Stash   string
	Goodreads                  string
	Disambiguation, SeriesType string
	// Movie makes a title of Whisparr v3 a movie. Others are scenes.
	Movie bool
	// Unmonitored titles are not searched for.
	Unmonitored bool
	// QualityProfile is the name of one, "HD-1080p" unless given.
	QualityProfile string
	// Certification is a rating such as PG-13, Runtime is in minutes.
	Certification string
	Runtime       int
	// Added is the time of Add unless given.
	Added time.Time
	// AddMethod is "manual" unless given.
	AddMethod string
	Episodes  []Episode
	Albums    []Album
	Books     []Book
}

// Episode is an episode of a series, or a scene of a site.
type Episode struct {
	// ID is given by the application.
	ID, Season, Number, TVDB int
	Title, Overview          string
	// Aired is a date, 2006-01-02.
	Aired string
}

// Album is an album of an artist.
type Album struct {
	// ID is given by the application.
	ID                                 int
	Title, MusicBrainz, Type, Overview string
	// Released is a date, 2006-01-02.
	Released string
	Genres   []string
	Cover    string
	Tracks   []Track
}

// Book is a book of an author.
type Book struct {
	// ID is given by the application.
	ID                                int
	Title, Goodreads, Overview, Cover string
	// Edition is the one that is wanted, by its id at Goodreads.
	Edition, ISBN, ASIN string
	// Released is a date, 2006-01-02.
	Released string
	// Files is how many it has once it is imported, one unless given: what is read aloud
	// has several.
	Files int
}

// Track is a track of an album.
type Track struct {
	// ID is given by the application.
	ID     int
	Number string
	Title  string
}

// File is a file in the library.
type File struct {
	ID, TitleID    int
	Path           string
	Quality, Group string
	Scene, Source  string
	Size           int64
	Added          time.Time
	// Edition is what only movies have: Director's Cut.
	Edition string
	// Episodes, or Album and Track, or Book, are what the file holds of its title.
	Episodes           []int
	Album, Track, Book int
	DownloadID         string
}

// Release is what an indexer offers. All of it may be left out.
type Release struct {
	Name, Indexer, Quality, Group, Edition string
	Size                                   int64
	// Parts are the ids of the episodes or albums that it holds, all unless given.
	Parts []int
	// SingleFile makes one file of all its episodes.
	SingleFile bool
}

// Download is a release that was handed to a download client.
type Download struct {
	ID, Client, ClientType string
	TitleID                int
	Release
	asked bool
	state string
}

// Check is a problem of the application's own health.
type Check struct {
	// Level is "warning" or "error".
	Level string
	// Type is the name of the check, "RootFolderCheck" say.
	Type          string
	Message, Wiki string
}

// The reasons for which a file goes.
const (
	MissingFromDisk  = "MissingFromDisk"
	Manual           = "Manual"
	Upgrade          = "Upgrade"
	ManualOverride   = "ManualOverride"
	NoLinkedEpisodes = "NoLinkedEpisodes"
)

func (a *Arr) title(id int) (*Title, error) {
	if i, ok := slices.BinarySearchFunc(a.titles, id, func(t *Title, id int) int { return cmp.Compare(t.ID, id) }); ok {
		return a.titles[i], nil
	}
	return nil, fmt.Errorf("%s has no title %d", a.app, id)
}

func (a *Arr) file(id int) (*File, error) {
	if i, ok := slices.BinarySearchFunc(a.files, id, func(f *File, id int) int { return cmp.Compare(f.ID, id) }); ok {
		return a.files[i], nil
	}
	return nil, fmt.Errorf("%s has no file %d", a.app, id)
}

func (a *Arr) filesOf(titleID int) []*File { return a.filesByTitle[titleID] }

// hold adds a file.
func (a *Arr) hold(f *File) {
	a.files = append(a.files, f)
	a.filesByTitle[f.TitleID] = append(a.filesByTitle[f.TitleID], f)
}

// release removes files of a title.
func (a *Arr) release(titleID int, gone func(*File) bool) {
	a.files = slices.DeleteFunc(a.files, func(f *File) bool { return f.TitleID == titleID && gone(f) })
	// Others may be in the middle of the list.
	a.filesByTitle[titleID] = slices.DeleteFunc(slices.Clone(a.filesByTitle[titleID]), gone)
}

// profileID is the id of a quality profile; a new one is made.
func (a *Arr) profileID(name string) int {
	name = cmp.Or(name, "HD-1080p")
	if !slices.Contains(a.profiles, name) {
		a.profiles = append(a.profiles, name)
	}
	return slices.Index(a.profiles, name) + 1
}

func (a *Arr) download(id string) (*Download, error) {
	if i := slices.IndexFunc(a.downloads, func(d *Download) bool { return d.ID == id }); i >= 0 {
		return a.downloads[i], nil
	}
	return nil, fmt.Errorf("%s has no download %s", a.app, id)
}

// tagIDs are the ids of labels; new ones are made.
func (a *Arr) tagIDs(labels []string) []int {
	return each(labels, func(l string) int {
		if !slices.Contains(a.tags, l) {
			a.tags = append(a.tags, l)
		}
		return slices.Index(a.tags, l) + 1
	})
}

// relative is a file's path in its title's folder.
func relative(t *Title, p string) string {
	if len(p) > len(t.Path) && p[:len(t.Path)] == t.Path {
		return p[len(t.Path)+1:]
	}
	return path.Base(p)
}

// image is a picture that the application keeps a copy of.
func (a *Arr) image(kind, folder, remote string) object {
	const ticksAtEpoch = 621355968000000000
	ticks := a.now().UnixNano()/100 + ticksAtEpoch
	return object{
		{"coverType", kind},
		{"url", fmt.Sprintf("%s/MediaCover/%s/%s.jpg?lastWrite=%d", a.opts.URLBase, folder, kind, ticks)},
		{"remoteUrl", remote},
	}
}

func (a *Arr) images(t *Title, folder string) []object {
	out := []object{}
	if t.Poster != "" {
		out = append(out, a.image("poster", folder, t.Poster))
	}
	if t.Fanart != "" {
		out = append(out, a.image("fanart", folder, t.Fanart))
	}
	return out
}
