// Package jellyfin imitates Jellyfin and Emby for tests and demonstrations, as far as
// programs tell them of new files: libraries, refreshes, the monitor of changed files, and
// what the server then shows. It follows the sources of Jellyfin 12.0 (LibraryMonitor,
// FileRefresher, ProviderManager, Folder.ValidateChildren, AuthorizationContext) and, for
// Emby, the OpenAPI document of its SDK 4.8.11. What it answers is what they answer: 204 to
// nearly everything, also where nothing comes of it.
//
// Times are scaled: what takes a real server a minute takes this one some milliseconds.
package jellyfin

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// Kind says what a library holds, in the server's words.
type Kind string

// The kinds of libraries.
const (
	Movies Kind = "movies"
	Shows  Kind = "tvshows"
	Music  Kind = "music"
)

// Library is a virtual folder.
type Library struct {
	Name      string
	Kind      Kind
	Locations []string
}

// Settings are those of an installation. The zero value is a Jellyfin 12 without libraries.
type Settings struct {
	// Emby makes it an Emby.
	Emby bool
	// Version is 12.0.0, or 4.9.1.80 for Emby, unless given. A Jellyfin before 10.8 does not
	// know an Authorization of a token alone.
	Version string
	// LegacyAuth lets the headers and the parameter of old in, as Jellyfin did by default
	// before 12. Emby knows nothing else.
	LegacyAuth bool
	// Key is the API key, which has every right; UserToken one of a user who is no
	// administrator, if there is one.
	Key, UserToken string
	// MonitorDelay is how long the monitor waits after the last report: 60 s in a real one,
	// 60 ms here unless given.
	MonitorDelay time.Duration
	// RefreshTime is how long one refresh takes, 5 ms unless given.
	RefreshTime time.Duration
	Libraries   []Library
	// Disk is what the server sees of its disks, by its own paths.
	Disk *fakeserver.Disk
	// Identify is the metadata's provider: it returns the ids of a title that is named as
	// its folder. Nil knows none.
	Identify func(kind Kind, name string, year int) map[string]string
}

// Server is one installation. It is an http.Handler, and works in the background until
// Close.
type Server struct {
	settings Settings
	mux      *http.ServeMux
	stop     context.CancelFunc
	working  sync.WaitGroup
	wake     chan struct{}

	mu        sync.Mutex
	key       string
	state     state
	loseBusy  bool
	lose      int
	instead   http.HandlerFunc
	libraries []*library
	items     map[string]*item // by id
	ids       map[string]string
	queue     []job
	running   *job
	monitor   []*refresher
	refreshes []Refresh
	stats     Stats
}

// library is a virtual folder with its ids: its own, and those of its locations.
type library struct {
	Library
	id string
}

// state is whether the server answers at all.
type state int

const (
	up state = iota
	starting
	down
)

// Refresh is one refresh that was asked for.
type Refresh struct {
	// Kind is item, library, monitor (by a report of a changed file) or server (all).
	Kind string
	// Type is that of the item: Series, Movie, CollectionFolder, Folder.
	Type string
	Name string
	// Lost says that the server forgot it.
	Lost bool
}

// Stats count what programs asked for.
type Stats struct {
	// Requests are those that were let in, by method and pattern.
	Requests map[string]int
	// Refused are those with wrong credentials or too few rights.
	Refused int
	// Reports are paths of changed files, Swallowed those in no library or ignored.
	Reports, Swallowed int
	// Shown is how many items were answered, LargestPage the most in one answer.
	Shown, LargestPage int
	// Harmful counts what no program should ask for: the replacement of all metadata, and
	// credentials that give the key's device another name.
	Harmful int
	// Removed are the names of items that were taken out of the libraries.
	Removed []string
}

// New starts a server. Its libraries are empty until they are refreshed.
func New(settings Settings) *Server {
	if settings.Version == "" {
		settings.Version = "12.0.0"
		if settings.Emby {
			settings.Version = "4.9.1.80"
		}
	}
	if settings.MonitorDelay == 0 {
		settings.MonitorDelay = 60 * time.Millisecond
	}
	if settings.RefreshTime == 0 {
		settings.RefreshTime = 5 * time.Millisecond
	}
	s := &Server{
		settings: settings, key: settings.Key, wake: make(chan struct{}, 1),
		items: map[string]*item{}, ids: map[string]string{}, stats: Stats{Requests: map[string]int{}},
	}
	for _, l := range settings.Libraries {
		s.libraries = append(s.libraries, &library{Library: l, id: s.id("CollectionFolder", l.Name)})
	}
	s.mux = s.routes()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.working.Go(func() { s.work(ctx) })
	return s
}

// Close ends the work in the background.
func (s *Server) Close() {
	s.Stop()
	s.stop()
	s.working.Wait()
}

// Stop ends the server as a restart does: connections break, and what is queued or waits in
// the monitor is forgotten. What was indexed stays.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.queue = down, nil
	for _, r := range s.monitor {
		r.timer.Stop()
	}
	s.monitor = nil
}

// Starting lets the server answer 503 and nothing else, as it does while it starts.
func (s *Server) Starting() { s.set(func() { s.state = starting }) }

// Start ends what Stop or Starting began.
func (s *Server) Start() { s.set(func() { s.state = up }) }

// Instead answers every request by h, as a proxy in front does; nil ends that.
func (s *Server) Instead(h http.HandlerFunc) { s.set(func() { s.instead = h }) }

// SetKey takes the key back and makes another. Empty lets no key in.
func (s *Server) SetKey(key string) { s.set(func() { s.key = key }) }

// Lose forgets the next n refreshes after they were accepted.
func (s *Server) Lose(n int) { s.set(func() { s.lose = n }) }

// LoseBusy forgets every refresh that is asked for while another is worked on.
func (s *Server) LoseBusy(yes bool) { s.set(func() { s.loseBusy = yes }) }

// Rename gives a library another name and, as that is its folder's, another id.
func (s *Server) Rename(library, name string) {
	s.set(func() {
		for _, l := range s.libraries {
			if l.Name == library {
				l.Name, l.id = name, s.id("CollectionFolder", name)
			}
		}
	})
}

// Forget takes a title out of the index, with all that is below it: its id is gone.
func (s *Server) Forget(name string) {
	s.set(func() {
		for _, it := range s.items {
			for p := it; p != nil; p = p.parent {
				if p.Name == name {
					s.remove(it)
					break
				}
			}
		}
	})
}

// Refreshes returns what was asked for, in order.
func (s *Server) Refreshes() []Refresh {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refreshes)
}

// Count returns how many refreshes of a kind were asked for, lost ones included.
func (s *Server) Count(kind string) int {
	n := 0
	for _, r := range s.Refreshes() {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.stats
	told.Requests = maps.Clone(s.stats.Requests)
	told.Removed = slices.Clone(s.stats.Removed)
	return told
}

// Paths returns the files that the libraries show, sorted.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for _, it := range s.items {
		for _, source := range it.sources {
			paths = append(paths, source.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// RefreshAll indexes everything at once, as the installation of the server once did. It is
// not counted.
func (s *Server) RefreshAll() {
	for _, l := range s.settings.Libraries {
		for _, location := range l.Locations {
			if !s.offline(location) {
				files := s.walk(location)
				s.set(func() { s.index(location, l.Kind, files) })
			}
		}
	}
}

// Idle reports whether nothing is queued, worked on or waited for.
func (s *Server) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) == 0 && s.running == nil && len(s.monitor) == 0
}

func (s *Server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
