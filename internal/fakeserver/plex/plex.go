// Package plex imitates a Plex Media Server, as far as a program needs it that has
// libraries scanned and looks for files in them: what it answers at once, what it does
// later, and what it forgets. The facts are of the API's published description
// (https://developer.plex.tv/pms) and of programs that use it; no server was asked.
package plex

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Token is that of the server's owner, unless Server.Token is another.
const Token = "plex-Qm4sW7xZ2kTn9vBc1LhR"

// The types of sections, as Plex calls them.
const (
	Movies = "movie"
	Shows  = "show"
	Music  = "artist"
)

// Server is a Plex Media Server. It is a handler; serve it with package httptest, on
// loopback, and Close it. The fields are set before the first request.
type Server struct {
	// Disk is what it sees.
	Disk *fakeserver.Disk
	// Token is the owner's, and Guest that of somebody who may look and not change anything.
	Token, Guest string
	// Version is what it says of itself; empty is a recent one.
	Version string
	// ScanMethod is the only one that refreshes take; others are answered 404. Empty is GET
	// and POST.
	ScanMethod string
	// NoBrowse is a server without /services/browse.
	NoBrowse bool
	// Delay is how long a scan that was asked for waits before it begins, in which the server
	// does not say that it is busy, and Takes how long it then lasts.
	Delay, Takes time.Duration
	// Queues keeps a request that comes while the section waits or is scanned. Else it is
	// answered 200 and forgotten.
	Queues bool
	// KeepTrash leaves files that are gone among the items, as deleted, until the trash is
	// emptied. Else every scan empties it.
	KeepTrash bool

	mu       sync.Mutex
	sections []*section
	guids    map[string]map[string]string
	names    map[string]string
	lastKey  int
	scans    []Scan
	emptied  int
	page     string
	down     bool
	lose     int
	requests []string
	// life changes with each restart: what was under way is forgotten.
	life   int
	timers map[*time.Timer]bool
}

// Scan is a request to scan a folder.
type Scan struct {
	Section, Path string
	// Lost says that nothing comes of it.
	Lost bool
	// Done says that it was made.
	Done bool
	At   time.Time
}

type section struct {
	key, title, kind string
	locations        []string
	items            []*item
	scanned          time.Time
	waiting          bool
	refreshing       bool
	queue            []int // indexes of scans
}

// item is a file with the movie, episode or track that it is. Several files of one have
// its key.
type item struct {
	key, title string
	// The movie, the show or the artist.
	grandKey, grandName, grandFolder string
	season, number                   int
	file, folder                     string
	size                             int64
	added, updated, deleted          time.Time
}

// AddSection adds a library and returns its key.
func (s *Server) AddSection(kind, title string, locations ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range locations {
		s.Disk.Mkdir(l)
	}
	key := s.next()
	s.sections = append(s.sections, &section{key: key, title: title, kind: kind, locations: locations})
	return key
}

// RenameSection gives a library another name.
func (s *Server) RenameSection(key, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sec := s.section(key); sec != nil {
		sec.title = title
	}
}

// RemoveSection deletes a library.
func (s *Server) RemoveSection(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sections = slices.DeleteFunc(s.sections, func(sec *section) bool { return sec.key == key })
}

// Know says what the server takes the title in a folder for: its name, and its ids keyed
// tmdb, tvdb and imdb. A folder that it does not know has the name of the folder and no
// ids.
func (s *Server) Know(folder, name string, ids map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guids == nil {
		s.guids, s.names = map[string]map[string]string{}, map[string]string{}
	}
	s.guids[folder], s.names[folder] = ids, name
}

// SetToken changes the owner's token: the former is worth nothing any more.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Token = token
}

// ShowPage answers every request with 200 and this web page, as a proxy does that wants a
// person to log in. Empty ends that.
func (s *Server) ShowPage(html string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = html
}

// LoseScans forgets the next scans that are asked for, however idle the library is.
func (s *Server) LoseScans(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// Stop ends the server: connections break, and scans that were under way are forgotten.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	s.forget()
}

// Start brings a stopped server back, with its libraries.
func (s *Server) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// Close ends what is under way.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

func (s *Server) forget() {
	s.life++
	for t := range s.timers {
		t.Stop()
	}
	s.timers = nil
	for _, sec := range s.sections {
		sec.waiting, sec.refreshing, sec.queue = false, false, nil
	}
}

// Scans returns the scans that were asked for, oldest first.
func (s *Server) Scans() []Scan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scans)
}

// ScansOf counts the scans that were asked for of each folder.
func (s *Server) ScansOf() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int{}
	for _, scan := range s.scans {
		all[scan.Path]++
	}
	return all
}

// Emptied is how often a trash was emptied.
func (s *Server) Emptied() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emptied
}

// Requests are the requests so far: method and path, with the query.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Files are those that the server shows, of all libraries.
func (s *Server) Files() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, sec := range s.sections {
		for _, it := range sec.items {
			if it.deleted.IsZero() {
				all = append(all, it.file)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Key is the id of the movie, episode or track of a file, or nothing. A title that was
// removed and found again has another.
func (s *Server) Key(file string) string { return s.find(file).key }

// TitleKey is the id of the movie, the show or the artist of a file, or nothing.
func (s *Server) TitleKey(file string) string { return s.find(file).grandKey }

func (s *Server) find(file string) item {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sec := range s.sections {
		for _, it := range sec.items {
			if pathmap.Equal(it.file, file) {
				return *it
			}
		}
	}
	return item{}
}

// ScanAll scans every library now, as its owner may have done at any time before.
func (s *Server) ScanAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sec := range s.sections {
		for _, l := range sec.locations {
			s.walk(sec, l)
		}
	}
}

func (s *Server) section(key string) *section {
	i := slices.IndexFunc(s.sections, func(sec *section) bool { return sec.key == key })
	if i < 0 {
		return nil
	}
	return s.sections[i]
}

func (s *Server) version() string {
	if s.Version != "" {
		return s.Version
	}
	return "1.42.2.10156-f737b826c"
}

func (s *Server) owner() string {
	if s.Token != "" {
		return s.Token
	}
	return Token
}

// ServeHTTP answers like Plex.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		panic(http.ErrAbortHandler) //nolint:forbidigo // This is how a handler breaks a connection.
	}
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	if s.page != "" {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(s.page))
		return
	}
	s.route(w, r)
}
