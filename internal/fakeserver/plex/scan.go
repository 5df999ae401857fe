package plex

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

func (s *Server) next() string {
	s.lastKey++
	return strconv.Itoa(s.lastKey)
}

// refresh takes a request to scan. Its answer is the same whatever becomes of it.
func (s *Server) refresh(sec *section, folder string) {
	i := len(s.scans)
	s.scans = append(s.scans, Scan{Section: sec.key, Path: folder, At: time.Now()})
	switch {
	case s.lose > 0:
		s.lose--
		s.scans[i].Lost = true
	case !sec.waiting && !sec.refreshing:
		sec.queue = append(sec.queue, i)
		s.begin(sec)
	case s.Queues:
		sec.queue = append(sec.queue, i)
	default:
		s.scans[i].Lost = true
	}
}

// begin waits, and then scans what is first in the section's queue.
func (s *Server) begin(sec *section) {
	if s.Delay <= 0 {
		s.scan(sec)
		return
	}
	sec.waiting = true
	s.after(s.Delay, func() { s.scan(sec) })
}

// scan scans what is first in the section's queue, and goes on with the next.
func (s *Server) scan(sec *section) {
	sec.waiting, sec.refreshing = false, true
	s.after(s.Takes, func() {
		sec.refreshing = false
		i := sec.queue[0]
		sec.queue = sec.queue[1:]
		s.walk(sec, s.scans[i].Path)
		s.scans[i].Done = true
		if len(sec.queue) > 0 {
			s.begin(sec)
		}
	})
}

// after calls f later, with the lock, unless the server ends before.
func (s *Server) after(d time.Duration, f func()) {
	if s.timers == nil {
		s.timers = map[*time.Timer]bool{}
	}
	life := s.life
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.timers, t)
		if s.life == life {
			f()
		}
	})
	s.timers[t] = true
}

// walk brings a section up to date with what is in a folder. A folder that is not there
// is passed over.
func (s *Server) walk(sec *section, folder string) {
	sec.scanned = time.Now()
	if folder == "" {
		for _, l := range sec.locations {
			s.walk(sec, l)
		}
		return
	}
	if !slices.ContainsFunc(sec.locations, func(l string) bool { return pathmap.Under(folder, l) }) {
		// A folder of nobody is looked for in the first location (linuxserver/docker-plex#350).
		folder = pathmap.Join(sec.locations[0], pathmap.Base(folder))
	}
	if _, ok := s.Disk.List(folder); !ok {
		return
	}
	there := map[string]fakeserver.Entry{}
	for _, e := range s.Disk.Files(folder) {
		if s.reads(sec, e.Path) {
			there[e.Path] = e
		}
	}
	now := time.Now()
	for _, it := range sec.items {
		e, ok := there[it.file]
		if !ok {
			continue
		}
		delete(there, it.file)
		it.deleted = time.Time{}
		if e.Size != it.size {
			it.size, it.updated = e.Size, now
		}
	}
	// What is new comes first: an episode whose file is another now stays the same item.
	for _, e := range byPath(there) {
		sec.items = append(sec.items, s.read(sec, e, now))
	}
	sec.items = slices.DeleteFunc(sec.items, func(it *item) bool {
		if _, ok := s.Disk.Stat(it.file); ok || !pathmap.Under(it.file, folder) {
			return false
		}
		if s.KeepTrash && it.deleted.IsZero() {
			it.deleted = now
		}
		return !s.KeepTrash
	})
}

func byPath(by map[string]fakeserver.Entry) []fakeserver.Entry {
	all := make([]fakeserver.Entry, 0, len(by))
	for _, e := range by {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b fakeserver.Entry) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// reads reports whether a file is one of a section's kind.
func (s *Server) reads(sec *section, file string) bool {
	ext := strings.ToLower(path.Ext(file))
	if sec.kind == Music {
		return ext == ".flac" || ext == ".mp3"
	}
	if ext != ".mkv" && ext != ".mp4" {
		return false
	}
	return sec.kind == Movies || episode().MatchString(pathmap.Base(file))
}

func episode() *regexp.Regexp { return regexp.MustCompile(`(?i)S(\d+)E(\d+)`) }

// read makes an item of a file, by where it is: Title (Year)/file, Show/Season 1/S01E01,
// Artist/Album/file.
func (s *Server) read(sec *section, e fakeserver.Entry, now time.Time) *item {
	root := ""
	for _, l := range sec.locations {
		if pathmap.Under(e.Path, l) && len(l) > len(root) {
			root = l
		}
	}
	top := e.Path
	for !pathmap.Equal(pathmap.Dir(top), root) && top != pathmap.Dir(top) {
		top = pathmap.Dir(top)
	}
	base := pathmap.Base(e.Path)
	it := &item{file: e.Path, size: e.Size, added: now, updated: now, grandFolder: top, folder: pathmap.Dir(e.Path)}
	it.title = strings.TrimSuffix(base, path.Ext(base))
	it.grandName = cmp.Or(s.names[top], regexp.MustCompile(` \(\d{4}\)$`).ReplaceAllString(pathmap.Base(top), ""))
	switch sec.kind {
	case Movies:
		it.title = it.grandName
	case Shows:
		if m := episode().FindStringSubmatch(base); m != nil {
			it.season, _ = strconv.Atoi(m[1])
			it.number, _ = strconv.Atoi(m[2])
			it.title = "Episode " + m[2]
		}
	}
	for _, o := range sec.items {
		if o.grandFolder != it.grandFolder && !s.sameIDs(o.grandFolder, it.grandFolder) {
			continue
		}
		it.grandKey = o.grandKey
		if o.season == it.season && o.number == it.number && o.title == it.title {
			it.key, it.added = o.key, o.added
		}
	}
	it.grandKey = cmp.Or(it.grandKey, s.next())
	it.key = cmp.Or(it.key, s.next())
	return it
}

// sameIDs reports whether the server takes the titles in two folders for one.
func (s *Server) sameIDs(a, b string) bool {
	return len(s.guids[a]) > 0 && maps.Equal(s.guids[a], s.guids[b])
}
