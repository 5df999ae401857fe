// Package stash imitates Stash for tests: the part of its GraphQL API that tells what it
// has and makes it look for more. Facts are from stashapp/stash, commit of 2026-01.
package stash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/graph-gophers/graphql-go"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// bodyLimit is far more than any query, in bytes.
const bodyLimit = 1 << 20

// Config says what kind of Stash it is.
type Config struct {
	// Version is what it says of itself.
	Version string
	// APIKey is asked for, unless it is empty: then there are no credentials, and whoever
	// sends a key all the same is refused.
	APIKey string
	// Stashes are the library paths.
	Stashes []string
	// Covers is what a person chose for scans, of all that there is to choose. Unless it is
	// asked for, a scan makes no covers.
	Covers bool
	// ScanTime is how long a scan takes.
	ScanTime time.Duration
}

// Scan is one that was asked for.
type Scan struct {
	Paths  []string
	Covers bool
}

// Scene is one that the library has.
type Scene struct {
	ID    int
	Title string
	Path  string
	size  int64
}

// Server is a Stash. It is a handler; serve it with package httptest.
type Server struct {
	disk   *fakeserver.Disk
	schema *graphql.Schema

	mu     sync.Mutex
	config Config
	scenes []Scene
	last   int
	jobs   []*job
	scans  []Scan
	fails  []string
	warned []string
	next   []http.HandlerFunc
}

// job is one that runs when those before it are over.
type job struct {
	id         int
	asked      Scan
	begin, end time.Time
	fails      string
	done       bool
}

// New returns a Stash whose library is empty.
func New(disk *fakeserver.Disk, config Config) *Server {
	s := &Server{disk: disk, config: config}
	s.schema = graphql.MustParseSchema(schema, &resolver{s}, graphql.UseFieldResolvers())
	return s
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

// FailNextJob makes the next scan end as failed.
func (s *Server) FailNextJob(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = append(s.fails, reason)
}

// Restart forgets all jobs, those under way too. The library stays.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	s.jobs = nil
}

// Scenes returns the library, by path.
func (s *Server) Scenes() []Scene {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	all := slices.Clone(s.scenes)
	slices.SortFunc(all, func(a, b Scene) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Scans returns every scan that was asked for, in order.
func (s *Server) Scans() []Scan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scans)
}

// Warned returns what scans left out, as its log says.
func (s *Server) Warned() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work()
	return slices.Clone(s.warned)
}

// ServeHTTP answers like Stash.
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
	key := r.Header.Get("ApiKey")
	switch {
	case r.URL.Path != "/graphql":
		w.Header().Set("Content-Type", "text/html") // every other page is the user interface
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><title>Stash</title>")
	case key != s.config.APIKey:
		w.Header().Set("WWW-Authenticate", "FormBased")
		w.WriteHeader(http.StatusUnauthorized)
	default:
		s.work()
		s.answer(w, r)
	}
}

// answer runs a query. What a resolver refuses has status 200; a query that does not fit
// the schema has 422.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var query struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(&query); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"errors": []any{map[string]any{"message": "json request body could not be decoded: " + err.Error()}}, "data": nil})
		return
	}
	answer := s.schema.Exec(r.Context(), query.Query, query.OperationName, query.Variables)
	status := http.StatusOK
	for _, e := range answer.Errors {
		if e.ResolverError == nil {
			status = http.StatusUnprocessableEntity
		}
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when this fails, and its own error says so.
	_ = json.NewEncoder(w).Encode(v)
}

// scan queues a job.
func (s *Server) scan(asked Scan) int {
	begin := time.Now()
	if n := len(s.jobs); n > 0 && s.jobs[n-1].end.After(begin) {
		begin = s.jobs[n-1].end
	}
	s.last++
	s.scans = append(s.scans, asked)
	j := &job{id: s.last, asked: asked, begin: begin, end: begin.Add(s.config.ScanTime)}
	if len(s.fails) > 0 {
		j.fails, s.fails = s.fails[0], s.fails[1:]
	}
	s.jobs = append(s.jobs, j)
	s.work()
	return j.id
}

// work does the jobs whose time is over.
func (s *Server) work() {
	for _, j := range s.jobs {
		if !j.done && !j.end.After(time.Now()) {
			j.done = true
			if j.fails == "" {
				s.find(j.asked.Paths)
			}
		}
	}
}

// find adds the scenes below paths. A scene whose file is gone stays until someone cleans
// the library, unless a new file is the same: that one was moved. Here, equal sizes are
// fingerprint enough.
func (s *Server) find(paths []string) {
	if len(paths) == 0 {
		paths = s.config.Stashes
	}
	for _, at := range paths {
		if !slices.ContainsFunc(s.config.Stashes, func(stash string) bool { return within(at, stash) }) {
			s.warned = append(s.warned, at+" is not in the configured stash paths")
			continue
		}
		files, _ := s.disk.Paths(at)
		for _, file := range files {
			entry, _ := s.disk.Stat(file)
			if known := slices.IndexFunc(s.scenes, func(c Scene) bool { return c.Path == file }); known >= 0 {
				s.scenes[known].size = entry.Size
				continue
			}
			if !slices.Contains([]string{".mp4", ".mkv", ".avi", ".wmv", ".m4v", ".webm"}, strings.ToLower(path.Ext(file))) {
				continue
			}
			moved := slices.IndexFunc(s.scenes, func(c Scene) bool {
				_, there := s.disk.Stat(c.Path)
				return !there && c.size == entry.Size && entry.Size > 0
			})
			if moved >= 0 {
				s.scenes[moved].Path = file
				continue
			}
			s.scenes = append(s.scenes, Scene{ID: len(s.scenes) + 1, Title: strings.TrimSuffix(path.Base(file), path.Ext(file)), Path: file, size: entry.Size})
		}
	}
}

// within reports whether a path is a folder or in it.
func within(at, folder string) bool {
	return at == folder || strings.HasPrefix(at, strings.TrimSuffix(folder, "/")+"/")
}
