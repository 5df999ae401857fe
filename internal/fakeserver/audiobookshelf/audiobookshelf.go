// Package audiobookshelf imitates Audiobookshelf for tests: its libraries, their items,
// scans and tasks. Facts are from advplyr/audiobookshelf, version 2.36.
package audiobookshelf

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// Config says what kind of Audiobookshelf it is.
type Config struct {
	Version string
	// Token is that of an API key.
	Token string
	// NotAdmin takes the right to scan from the key's user.
	NotAdmin  bool
	Libraries []Library
	// NoWatcher turns the libraries' watchers off: reports of single files are answered 200
	// and forgotten.
	NoWatcher bool
	// NoUpload takes from the key's user what the question for single paths wants.
	NoUpload bool
	// OldPathExists is a version before 2.23, which takes a whole path for that question.
	OldPathExists bool
	// ScanTime is how long a scan takes, Batch how long the watcher gathers reports.
	ScanTime, Batch time.Duration
}

// Library is a library. Its kind is book or podcast.
type Library struct {
	ID, Name, Kind string
	Folders        []string
}

// Item is a book or a podcast: a folder, or a file that lies in a library's folder itself.
type Item struct {
	ID, Library string
	Path        string
	IsFile      bool
	Missing     bool
	Title       string
	Files       []string
	added       time.Time
	// changed is when a file came last, sizes are those of the files.
	changed time.Time
	sizes   map[string]int64
}

// Server is an Audiobookshelf. It is a handler; serve it with package httptest.
type Server struct {
	disk *fakeserver.Disk

	mu      sync.Mutex
	config  Config
	items   []Item
	tasks   []task
	scans   []string
	dropped int
	fails   int
	next    []http.HandlerFunc
}

// task is a scan of a library, or what its watcher gathered.
type task struct {
	id, library, action string
	end                 time.Time
	// files are those of the watcher; a scan has none.
	files []string
	fails bool
}

// New returns an Audiobookshelf whose libraries are empty.
func New(disk *fakeserver.Disk, config Config) *Server {
	return &Server{disk: disk, config: config}
}

// Configure changes what it is, as a person or an update does.
func (s *Server) Configure(change func(c *Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Next makes h answer the next request, whatever is in it. Calls queue up.
func (s *Server) Next(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, h)
}

// FailNextScan makes the next scan come to nothing, of which no client is told.
func (s *Server) FailNextScan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails++
}

// Busy scans a library for some time, for someone else. It finds nothing.
func (s *Server) Busy(library string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	s.tasks = append(s.tasks, task{id: "busy", library: library, action: "library-scan", end: time.Now().Add(d), fails: true})
}

// Items returns what all libraries have and what is missing, by path.
func (s *Server) Items() []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	all := slices.Clone(s.items)
	slices.SortFunc(all, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Scans returns the libraries of every scan that was made, in order.
func (s *Server) Scans() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scans)
}

// Dropped counts the scans that were answered 200 and not made.
func (s *Server) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// scan begins to scan a library, unless that is under way already.
func (s *Server) scan(l Library) {
	if s.scanning(l.ID) {
		s.dropped++
		return
	}
	s.scans = append(s.scans, l.ID)
	t := task{id: fmt.Sprintf("task%d", len(s.scans)), library: l.ID, action: "library-scan", end: time.Now().Add(s.config.ScanTime)}
	if s.fails > 0 {
		s.fails--
		t.fails = true
	}
	s.tasks = append(s.tasks, t)
	s.work()
}

func (s *Server) scanning(library string) bool {
	return slices.ContainsFunc(s.tasks, func(t task) bool { return t.action == "library-scan" && t.library == library })
}

// report tells a library's watcher of a file.
func (s *Server) report(library, file string) {
	l, ok := s.library(library)
	if !ok || s.config.NoWatcher || !slices.ContainsFunc(l.Folders, func(f string) bool { return within(file, f) }) {
		return
	}
	for i, t := range s.tasks {
		if t.action == "watcher-scan" && t.library == library {
			s.tasks[i].files = append(s.tasks[i].files, file)
			s.tasks[i].end = time.Now().Add(s.config.Batch)
			return
		}
	}
	s.tasks = append(s.tasks, task{id: "watcher-" + library, library: library, action: "watcher-scan", end: time.Now().Add(s.config.Batch), files: []string{file}})
	s.work()
}

func (s *Server) library(id string) (Library, bool) {
	i := slices.IndexFunc(s.config.Libraries, func(l Library) bool { return l.ID == id })
	if i < 0 {
		return Library{}, false
	}
	return s.config.Libraries[i], true
}

// work ends the tasks whose time is over.
func (s *Server) work() {
	var left []task
	for _, t := range s.tasks {
		switch l, ok := s.library(t.library); {
		case t.end.After(time.Now()):
			left = append(left, t)
		case !ok || t.fails:
		case t.action == "library-scan":
			for _, folder := range l.Folders {
				s.read(l, folder, folder)
			}
		default:
			for _, file := range t.files {
				s.read(l, folderOf(l, file), path.Dir(file))
			}
		}
	}
	s.tasks = left
}

func folderOf(l Library, file string) string {
	for _, f := range l.Folders {
		if within(file, f) {
			return f
		}
	}
	return ""
}

// read brings the items at a path in a library's folder up to date. A folder that is gone
// has no items, so that all that it had are missing then.
func (s *Server) read(l Library, folder, at string) {
	files, _ := s.disk.Paths(at)
	found := map[string]*Item{}
	for _, file := range files {
		if !slices.Contains([]string{".m4b", ".mp3", ".m4a", ".flac", ".epub", ".pdf"}, strings.ToLower(path.Ext(file))) {
			continue
		}
		item := &Item{Library: l.ID, Path: path.Dir(file), sizes: map[string]int64{}}
		if item.Path == folder {
			item.Path, item.IsFile = file, true
		}
		if found[item.Path] == nil {
			item.Title = strings.TrimSuffix(path.Base(item.Path), path.Ext(item.Path))
			found[item.Path] = item
		}
		entry, _ := s.disk.Stat(file)
		item = found[item.Path]
		item.Files = append(item.Files, file)
		item.sizes[file] = entry.Size
		if entry.Changed.After(item.changed) {
			item.changed = entry.Changed
		}
	}
	for i, known := range s.items {
		if known.Library != l.ID || !within(known.Path, at) {
			continue
		}
		item, ok := found[known.Path]
		s.items[i].Missing = !ok
		if ok {
			s.items[i].Files, s.items[i].sizes, s.items[i].changed = item.Files, item.sizes, item.changed
			delete(found, known.Path)
		}
	}
	for _, item := range found {
		item.ID, item.added = fmt.Sprintf("li_%06d", len(s.items)+1), time.Now()
		s.items = append(s.items, *item)
	}
}

// within reports whether a path is a folder or in it.
func within(at, folder string) bool {
	return at == folder || strings.HasPrefix(at, strings.TrimSuffix(folder, "/")+"/")
}
