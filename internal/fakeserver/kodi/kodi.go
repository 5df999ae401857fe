// Package kodi imitates Kodi for tests: the part of its JSON-RPC API that tells what its
// library has and makes it look for more. Facts are from xbmc/xbmc, versions 19 to 21.
package kodi

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// Config says what kind of Kodi it is.
type Config struct {
	Username, Password string
	Sources            []Source
	// ScanTime is how long a scan takes, and a cleaning.
	ScanTime time.Duration
	// Titles are what its scrapers know, by the name of a folder.
	Titles map[string]Title
	// Playing is the type of what plays: video, audio or picture; empty is nothing.
	Playing string
}

// The contents of sources.
const (
	Movies  = "movies"
	TVShows = "tvshows"
	Music   = "music"
)

// Title is a movie or a show.
type Title struct {
	Name string
	IDs  map[string]string
}

// Source is a folder that a person added. Kodi knows no other spelling of it.
type Source struct {
	Label   string
	Content string
	// Path is Kodi's own spelling, which ends in a slash: smb://nas/movies/.
	Path string
	// Folder is where that is on the disk.
	Folder string
}

// Item is a movie, an episode or a song.
type Item struct {
	ID      int
	Content string
	// File is its path in Kodi's spelling.
	File string
	// Show is the folder that Kodi took for the show of an episode.
	Show string
}

// Server is a Kodi. It is a handler; serve it with package httptest. Kodi is switched off
// most of the time: close the server for that.
type Server struct {
	disk *fakeserver.Disk

	mu      sync.Mutex
	config  Config
	items   []Item
	last    int
	jobs    []job
	calls   []Call
	stopped int
	next    []http.HandlerFunc
}

// job is a scan or a cleaning that is under way; music has its own.
type job struct {
	music, clean bool
	directory    string
	content      string
	end          time.Time
}

// Call is a scan or a cleaning that was asked for.
type Call struct {
	Method, Directory, Content string
}

// New returns a Kodi whose library is empty.
func New(disk *fakeserver.Disk, config Config) *Server {
	return &Server{disk: disk, config: config}
}

// Configure changes what it is and does, as a person does.
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

// Busy scans the video library for some time, as a person asked it to. It finds nothing.
func (s *Server) Busy(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	s.jobs = append(s.jobs, job{directory: "-", end: time.Now().Add(d)})
}

// Items returns the library, by file.
func (s *Server) Items() []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	all := slices.Clone(s.items)
	slices.SortFunc(all, func(a, b Item) int { return strings.Compare(a.File, b.File) })
	return all
}

// Calls returns every scan and cleaning that was asked for, in order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Stopped counts the scans that were ended by asking for another.
func (s *Server) Stopped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// scan begins to scan, or ends what is under way: UpdateLibrary in
// xbmc/interfaces/builtins/LibraryBuiltins.cpp is a switch. Either is answered OK.
func (s *Server) scan(music bool, directory string) {
	if i := s.busy(music); i >= 0 {
		s.jobs = slices.Delete(s.jobs, i, i+1)
		s.stopped++
		return
	}
	s.jobs = append(s.jobs, job{music: music, directory: directory, end: time.Now().Add(s.config.ScanTime)})
	s.work()
}

// clean begins to take out what is gone, unless something is under way: then it only logs.
func (s *Server) clean(music bool, directory, content string) {
	if s.busy(music) >= 0 {
		return
	}
	s.jobs = append(s.jobs, job{music: music, clean: true, directory: directory, content: content, end: time.Now().Add(s.config.ScanTime)})
	s.work()
}

func (s *Server) busy(music bool) int {
	return slices.IndexFunc(s.jobs, func(j job) bool { return j.music == music })
}

// work ends the jobs whose time is over.
func (s *Server) work() {
	var left []job
	for _, j := range s.jobs {
		if j.end.After(time.Now()) {
			left = append(left, j)
			continue
		}
		for _, source := range s.config.Sources {
			switch {
			case (source.Content == Music) != j.music:
			case j.clean:
				s.forget(source, j)
			default:
				s.find(source, j.directory)
			}
		}
	}
	s.jobs = left
}

// find adds what a directory has: all of the source if that is empty or above it. A
// directory without a slash at its end, or in another spelling, has nothing.
func (s *Server) find(source Source, directory string) {
	switch {
	case directory == "", strings.HasPrefix(source.Path, directory) && strings.HasSuffix(directory, "/"):
		directory = source.Path
	case !strings.HasSuffix(directory, "/") || !strings.HasPrefix(directory, source.Path):
		return
	}
	files, _ := s.disk.Paths(path.Join(source.Folder, strings.TrimPrefix(directory, source.Path)))
	for _, on := range files {
		file := source.Path + strings.TrimPrefix(strings.TrimPrefix(on, source.Folder), "/")
		known := slices.ContainsFunc(s.items, func(i Item) bool { return i.File == file })
		if known || !slices.Contains([]string{".mkv", ".mp4", ".avi", ".flac", ".mp3"}, strings.ToLower(path.Ext(file))) {
			continue
		}
		s.last++
		item := Item{ID: s.last, Content: source.Content, File: file}
		if source.Content == TVShows {
			item.Show = s.show(source, directory, file)
		}
		s.items = append(s.items, item)
	}
}

// show is the folder that an episode's show is taken for. The scan of one new show takes
// its season's folder for it (xbmc issue 26169), a scan of the source does not.
func (s *Server) show(source Source, directory, file string) string {
	name, below, _ := strings.Cut(strings.TrimPrefix(file, source.Path), "/")
	show := source.Path + name + "/"
	known := slices.ContainsFunc(s.items, func(i Item) bool { return i.Show == show })
	if known || directory == source.Path {
		return show
	}
	season, _, ok := strings.Cut(below, "/")
	if !ok {
		return show
	}
	return show + season + "/"
}

// forget takes out what is gone in a source. Content has to be that of the directory: for
// shows, only the source itself is known to have them (GetContentForPath in
// xbmc/video/VideoDatabase.cpp). A source that is not there is left as it is.
func (s *Server) forget(source Source, j job) {
	all := j.directory == "" && (j.content == "" || j.content == source.Content)
	here := j.content == source.Content && strings.HasPrefix(j.directory, source.Path) && (source.Content == Movies || j.directory == source.Path)
	if _, ok := s.disk.Paths(source.Folder); !ok || !all && !here {
		return
	}
	s.items = slices.DeleteFunc(s.items, func(i Item) bool {
		if !strings.HasPrefix(i.File, source.Path) || !strings.HasPrefix(i.File, j.directory) {
			return false
		}
		_, ok := s.disk.Paths(path.Join(source.Folder, strings.TrimPrefix(i.File, source.Path)))
		return !ok
	})
}
