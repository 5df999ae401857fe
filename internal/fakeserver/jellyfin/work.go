package jellyfin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// job is one refresh in the queue.
type job struct {
	// kind is that of Refresh.
	kind string
	id   string
	// recursive says that children are looked for, too.
	recursive bool
}

// enqueue takes a refresh, unless it is one to lose.
func (s *Server) enqueue(j job, typ, name string) {
	busy := s.running != nil || len(s.queue) > 0
	lost := s.lose > 0 || s.loseBusy && busy
	s.refreshes = append(s.refreshes, Refresh{Kind: j.kind, Type: typ, Name: name, Lost: lost})
	if lost {
		s.lose = max(s.lose-1, 0)
		return
	}
	s.queue = append(s.queue, j)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// work refreshes one item after the other, as the server does.
func (s *Server) work(ctx context.Context) {
	for {
		j, ok := s.next()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			continue
		}
		s.refresh(ctx, j)
	}
}

func (s *Server) next() (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || s.state == down {
		return job{}, false
	}
	j := s.queue[0]
	s.queue = s.queue[1:]
	s.running = &j
	return j, true
}

// refresh looks at the disk as it is when the refresh begins: what appears while it runs is
// missed. A restart while it runs ends it.
func (s *Server) refresh(ctx context.Context, j job) {
	apply := s.look(j)
	select {
	case <-ctx.Done():
	case <-time.After(s.settings.RefreshTime):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	if s.state != down {
		apply()
	}
}

// look reads the disk for a refresh and returns what is to be done with the index. The
// refresh of a movie, an episode or a track reads its metadata and finds no other file.
func (s *Server) look(j job) (apply func()) {
	s.mu.Lock()
	it := s.items[j.id]
	type location struct {
		path string
		kind Kind
	}
	var locations []location
	for _, l := range s.libraries {
		for _, path := range l.Locations {
			if j.id == l.id || j.id == s.id("Folder", path) || j.kind == "server" {
				locations = append(locations, location{path, l.Kind})
			}
		}
	}
	s.mu.Unlock()
	var all []func()
	for _, l := range locations {
		if !j.recursive || s.offline(l.path) {
			continue
		}
		files := s.walk(l.path)
		all = append(all, func() { s.index(l.path, l.kind, files) })
	}
	if it != nil && it.sources != nil {
		all = append(all, func() { s.probe(it) })
	}
	if it != nil && it.sources == nil && j.recursive {
		files := s.walk(it.path)
		all = append(all, func() { s.indexFolder(it, s.kindAt(it.location), files) })
	}
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// offline reports whether a location is empty or not there. It is skipped then, as since
// Jellyfin 10.9.
func (s *Server) offline(location string) bool {
	found, _ := s.settings.Disk.List(location)
	return len(found) == 0
}

// probe reads the files of an item anew; those that are gone stay as they were.
func (s *Server) probe(it *item) {
	for i := range it.sources {
		if e, ok := s.settings.Disk.Stat(it.sources[i].Path); ok {
			it.sources[i] = e
		}
	}
}

// walk returns the files below a folder but those under a folder with a file .ignore.
func (s *Server) walk(folder string) []fakeserver.Entry {
	files := s.settings.Disk.Files(folder)
	var ignored []string
	for _, f := range files {
		if pathmap.Base(f.Path) == ".ignore" {
			ignored = append(ignored, pathmap.Dir(f.Path))
		}
	}
	return slices.DeleteFunc(files, func(f fakeserver.Entry) bool {
		return slices.ContainsFunc(ignored, func(folder string) bool { return pathmap.Under(f.Path, folder) })
	})
}

func (s *Server) kindAt(location string) Kind {
	for _, l := range s.libraries {
		if slices.Contains(l.Locations, location) {
			return l.Kind
		}
	}
	return ""
}

// refresher is what the monitor keeps for paths that were reported close to each other.
type refresher struct {
	path     string
	affected []string
	timer    *time.Timer
}

// report tells the monitor of a changed path: it waits until nothing was reported of it, of
// what is below it, or of its siblings for some time. Siblings become their parent.
func (s *Server) report(path string) {
	s.stats.Reports++
	if name := pathmap.Base(path); strings.HasPrefix(name, ".") || strings.Contains(strings.ToLower(name), "sample") {
		s.stats.Swallowed++
		return
	}
	for _, r := range s.monitor {
		switch {
		case r.path == path:
		case pathmap.Under(path, r.path):
			r.affected = append(r.affected, path)
		case pathmap.Under(r.path, path):
			r.path, r.affected = path, append(r.affected, path)
		case pathmap.Dir(path) == pathmap.Dir(r.path):
			r.path, r.affected = pathmap.Dir(path), append(r.affected, pathmap.Dir(path), path)
		default:
			continue
		}
		r.timer.Reset(s.settings.MonitorDelay)
		return
	}
	r := &refresher{path: path, affected: []string{path}}
	r.timer = time.AfterFunc(s.settings.MonitorDelay, func() { s.reported(r) })
	s.monitor = append(s.monitor, r)
}

// reported refreshes the nearest known item above each path, which for a new movie is the
// library's root: a movie's folder is no item.
func (s *Server) reported(r *refresher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.monitor, r)
	if i < 0 {
		return // The server was stopped.
	}
	s.monitor = slices.Delete(s.monitor, i, i+1)
	done := map[string]bool{}
	for _, path := range r.affected {
		id, typ, name := s.nearest(path)
		switch {
		case id == "":
			s.stats.Swallowed++
		case !done[id]:
			done[id] = true
			s.enqueue(job{kind: "monitor", id: id, recursive: true}, typ, name)
		}
	}
}

// nearest returns the item at a path, or else the nearest one above it that is on the disk.
func (s *Server) nearest(path string) (id, typ, name string) {
	for ; ; path = pathmap.Dir(path) {
		for _, l := range s.libraries {
			if slices.Contains(l.Locations, path) {
				return s.id("Folder", path), "Folder", pathmap.Base(path)
			}
		}
		for _, it := range s.items {
			if _, there := s.settings.Disk.Stat(path); there && it.path == path {
				return it.id, it.Type, it.Name
			}
		}
		if pathmap.Dir(path) == path {
			return "", "", ""
		}
	}
}
