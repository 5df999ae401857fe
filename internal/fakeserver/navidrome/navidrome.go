// Package navidrome imitates Navidrome for tests: scans and searches of its Subsonic API,
// and the libraries and songs of the API of its own web pages. Facts are from
// navidrome/navidrome, commit of 2026-08.
package navidrome

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// Config says what kind of Navidrome it is.
type Config struct {
	Version            string
	Username, Password string
	// NotAdmin takes the right to scan from the user.
	NotAdmin  bool
	Libraries []Library
	// NoTargets is a version before 2025-11: it scans everything, whatever it is asked for.
	NoTargets bool
	// NoPages answers 404 on everything but the Subsonic API, as a proxy may.
	NoPages bool
	// RealPaths is the player's setting: songs tell their files' paths to Subsonic clients.
	RealPaths bool
	// ScanTime is how long a scan takes.
	ScanTime time.Duration
}

// Library is a music folder.
type Library struct {
	ID   int
	Name string
	Path string
}

// Song is a track of the library. Files say what they are by their tags, see [Server.Tag];
// those without are named by their path: ARTIST/ALBUM/TITLE.flac.
type Song struct {
	ID                   string
	Path                 string // absolute
	Missing              bool
	Title, Artist, Album string
	// RecordingID, AlbumID and ArtistID are MusicBrainz's.
	RecordingID, AlbumID, ArtistID string
	library                        Library
	size                           int64
}

// Server is a Navidrome. It is a handler; serve it with package httptest.
type Server struct {
	disk *fakeserver.Disk

	mu       sync.Mutex
	config   Config
	tags     map[string]Song
	songs    []Song
	scan     *scan
	lastScan time.Time
	scans    [][]string
	dropped  int
	fails    []string
	lastErr  string
	next     []http.HandlerFunc
}

// scan is the one that runs.
type scan struct {
	targets []target
	end     time.Time
	fails   string
}

// target is a folder to scan, absolute.
type target struct {
	library Library
	folder  string
}

// New returns a Navidrome whose libraries are empty.
func New(disk *fakeserver.Disk, config Config) *Server {
	return &Server{disk: disk, config: config, tags: map[string]Song{}}
}

// Configure changes what it is, as a person or an update does.
func (s *Server) Configure(change func(c *Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Tag writes the tags of the file at a path. The next scan reads them.
func (s *Server) Tag(at string, tags Song) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags[at] = tags
}

// Next makes h answer the next request, whatever is in it. Calls queue up.
func (s *Server) Next(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, h)
}

// FailNextScan makes the next scan end with an error, which only its status tells.
func (s *Server) FailNextScan(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = append(s.fails, reason)
}

// Busy runs a scan of someone else for some time. It finds nothing.
func (s *Server) Busy(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	s.scan = &scan{end: time.Now().Add(d)}
}

// Songs returns the libraries, by path, without what is missing.
func (s *Server) Songs() []Song {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	var all []Song
	for _, song := range s.songs {
		if !song.Missing {
			all = append(all, song)
		}
	}
	slices.SortFunc(all, func(a, b Song) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Scans returns the targets of every scan that was made, in order; none for all.
func (s *Server) Scans() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scans)
}

// Dropped counts the scans that were asked for while another ran.
func (s *Server) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// ServeHTTP answers like Navidrome.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if len(s.next) > 0 {
		h := s.next[0]
		s.next = s.next[1:]
		s.mu.Unlock()
		h(w, r)
		return
	}
	defer s.mu.Unlock()
	s.work()
	if method, ok := strings.CutPrefix(r.URL.Path, "/rest/"); ok {
		s.subsonic(w, r, strings.TrimSuffix(method, ".view"))
		return
	}
	s.pages(w, r)
}

// token is what logging in returns.
func (s *Server) token() string {
	sum := md5.Sum([]byte(s.config.Username + "\x00" + s.config.Password))
	return "eyJ." + hex.EncodeToString(sum[:])
}

// begin starts a scan, unless one runs: then nothing happens, and nobody is told.
func (s *Server) begin(asked []string, targets []target) {
	if s.scan != nil {
		s.dropped++
		return
	}
	if s.config.NoTargets {
		asked, targets = nil, nil
	}
	if len(targets) == 0 {
		for _, l := range s.config.Libraries {
			targets = append(targets, target{l, l.Path})
		}
	}
	s.scans = append(s.scans, asked)
	s.scan = &scan{targets: targets, end: time.Now().Add(s.config.ScanTime)}
	if len(s.fails) > 0 {
		s.scan.fails, s.fails = s.fails[0], s.fails[1:]
	}
	s.work()
}

// work ends the scan whose time is over.
func (s *Server) work() {
	if s.scan == nil || s.scan.end.After(time.Now()) {
		return
	}
	done := s.scan
	s.scan, s.lastErr = nil, done.fails
	if done.fails != "" {
		return
	}
	for _, t := range done.targets {
		s.read(t)
	}
	s.lastScan = time.Now()
}

// read brings the songs of a folder up to date. A folder that is gone has none; a library
// that is gone is left as it is.
func (s *Server) read(t target) {
	if _, ok := s.disk.Paths(t.library.Path); !ok {
		return
	}
	files, _ := s.disk.Paths(t.folder)
	for i, song := range s.songs {
		if within(song.Path, t.folder) {
			s.songs[i].Missing = !slices.Contains(files, song.Path)
		}
	}
	for _, file := range files {
		if !slices.Contains([]string{".flac", ".mp3", ".m4a", ".ogg", ".opus"}, strings.ToLower(path.Ext(file))) {
			continue
		}
		song := s.tags[file]
		dir := path.Dir(file)
		entry, _ := s.disk.Stat(file)
		song.Path, song.library, song.size = file, t.library, entry.Size
		if song.Title == "" {
			song.Title, song.Album, song.Artist = strings.TrimSuffix(path.Base(file), path.Ext(file)), path.Base(dir), path.Base(path.Dir(dir))
		}
		i := slices.IndexFunc(s.songs, func(known Song) bool { return known.Path == file })
		if i < 0 {
			i = len(s.songs)
			s.songs = append(s.songs, Song{ID: fmt.Sprintf("song%06d", i+1)})
		}
		song.ID = s.songs[i].ID
		s.songs[i] = song
	}
}

// within reports whether a path is a folder or in it.
func within(at, folder string) bool {
	return at == folder || strings.HasPrefix(at, strings.TrimSuffix(folder, "/")+"/")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when this fails, and its own error says so.
	_ = json.NewEncoder(w).Encode(v)
}
