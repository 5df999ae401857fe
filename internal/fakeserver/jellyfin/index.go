package jellyfin

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// item is one entry of the library.
type item struct {
	id, Type, Name string
	// path is a folder's, or that of the first file.
	path string
	// sources are the files of a movie's versions, of an episode or a track: one or more.
	sources []fakeserver.Entry
	parent  *item
	// location is the root that it is below.
	location string
	year     int
	ids      map[string]string
	created  time.Time
	season   int
	number   int
}

// below reports whether an item is a descendant of another.
func (it *item) below(id string) bool {
	for p := it.parent; p != nil; p = p.parent {
		if p.id == id {
			return true
		}
	}
	return false
}

// id returns the id of what is at a path. Jellyfin's is a digest of type and path, so that
// a renamed file is another item; Emby counts.
func (s *Server) id(kind, path string) string {
	if s.settings.Emby {
		if s.ids[kind+path] == "" {
			s.ids[kind+path] = strconv.Itoa(len(s.ids) + 3)
		}
		return s.ids[kind+path]
	}
	sum := sha256.Sum256([]byte(kind + path))
	return hex.EncodeToString(sum[:16])
}

// index makes the items below a location those of its files.
func (s *Server) index(location string, kind Kind, files []fakeserver.Entry) {
	s.replace(s.resolve(location, kind, files), func(it *item) bool { return it.location == location })
}

// indexFolder makes the items below a series, a season, an artist or an album those of its
// files. One whose folder is not there keeps itself and loses what it had.
func (s *Server) indexFolder(of *item, kind Kind, files []fakeserver.Entry) {
	found := s.resolve(of.location, kind, files)
	delete(found, of.id)
	for id, it := range found {
		if !it.below(of.id) {
			delete(found, id)
		}
	}
	s.replace(found, func(it *item) bool { return it.below(of.id) })
}

// replace brings in what was found and takes out what was not, of those that are concerned.
func (s *Server) replace(found map[string]*item, concerned func(*item) bool) {
	for _, it := range s.items {
		if _, ok := found[it.id]; !ok && concerned(it) {
			s.remove(it)
		}
	}
	for id, it := range found {
		known := s.items[id]
		if known == nil {
			it.created = time.Now()
			if s.settings.Identify != nil && it.parent == nil {
				it.ids = s.settings.Identify(kindOf(it.Type), it.Name, it.year)
			}
			s.items[id] = it
			continue
		}
		known.sources = it.sources
	}
	// Parents are those that are kept.
	for _, it := range s.items {
		if it.parent != nil {
			if kept := s.items[it.parent.id]; kept != nil {
				it.parent = kept
			}
		}
	}
}

func (s *Server) remove(it *item) {
	delete(s.items, it.id)
	s.stats.Removed = append(s.stats.Removed, it.Name)
}

// resolver tells what the files of a location are.
type resolver struct {
	server   *Server
	location string
	kind     Kind
	found    map[string]*item // by id
	movies   map[string]*item // the one with versions, by its folder
	episode  *regexp.Regexp   // S01E02
	named    *regexp.Regexp   // Dune: Part Two (2024)
}

func (s *Server) resolve(location string, kind Kind, files []fakeserver.Entry) map[string]*item {
	r := &resolver{
		server: s, location: location, kind: kind, found: map[string]*item{}, movies: map[string]*item{},
		episode: regexp.MustCompile(`(?i)S(\d+)E(\d+)`), named: regexp.MustCompile(`^(.+?) \((\d{4})\)`),
	}
	for _, file := range files {
		if media(kind, file.Path) {
			r.file(file)
		}
	}
	return r.found
}

func (r *resolver) file(file fakeserver.Entry) {
	var parts []string
	for at := file.Path; !pathmap.Equal(at, r.location); at = pathmap.Dir(at) {
		parts = append([]string{pathmap.Base(at)}, parts...)
	}
	last := len(parts) - 1
	switch {
	case r.kind == Movies:
		r.movie(file, parts)
	case last == 0: // No series and no artist is a file.
	default:
		top, between, leaf := "Series", "Season", "Episode"
		if r.kind == Music {
			top, between, leaf = "MusicArtist", "MusicAlbum", "Audio"
		}
		parent := r.add(top, pathmap.Join(r.location, parts[0]), parts[0], nil)
		if last > 1 {
			parent = r.add(between, pathmap.Join(r.location, parts[:2]...), parts[1], parent)
		}
		it := r.add(leaf, file.Path, stem(parts[last]), parent)
		it.sources = []fakeserver.Entry{file}
		if m := r.episode.FindStringSubmatch(parts[last]); m != nil && r.kind == Shows {
			it.season, _ = strconv.Atoi(m[1])
			it.number, _ = strconv.Atoi(m[2])
		}
	}
}

func (r *resolver) add(typ, path, name string, parent *item) *item {
	id := r.server.id(typ, path)
	if r.found[id] == nil {
		it := &item{id: id, Type: typ, path: path, parent: parent, location: r.location}
		it.Name, it.year = r.titleYear(name)
		r.found[id] = it
	}
	return r.found[id]
}

// movie adds a file of a movie. Those in a folder whose names begin as the folder's are
// versions of one movie, which has the path of the first.
func (r *resolver) movie(file fakeserver.Entry, parts []string) {
	last := len(parts) - 1
	if last == 0 {
		r.add("Movie", file.Path, stem(parts[0]), nil).sources = []fakeserver.Entry{file}
		return
	}
	folder := parts[last-1]
	version := strings.HasPrefix(parts[last], folder)
	if it := r.movies[pathmap.Dir(file.Path)]; it != nil && version {
		it.sources = append(it.sources, file)
		return
	}
	it := r.add("Movie", file.Path, folder, nil)
	it.sources = []fakeserver.Entry{file}
	if version {
		r.movies[pathmap.Dir(file.Path)] = it
	}
}

// media reports whether a library of a kind takes a file.
func media(kind Kind, file string) bool {
	extensions := []string{"mkv", "mp4", "avi", "m4v", "ts"}
	if kind == Music {
		extensions = []string{"flac", "mp3", "m4a", "ogg"}
	}
	return slices.Contains(extensions, strings.ToLower(file[strings.LastIndexByte(file, '.')+1:]))
}

func kindOf(typ string) Kind {
	switch typ {
	case "Series":
		return Shows
	case "MusicArtist":
		return Music
	default:
		return Movies
	}
}

// titleYear takes a folder's name apart: "Dune: Part Two (2024) [imdb-tt1]".
func (r *resolver) titleYear(name string) (string, int) {
	m := r.named.FindStringSubmatch(name)
	if m == nil {
		return name, 0
	}
	year, _ := strconv.Atoi(m[2])
	return m[1], year
}

// stem is a file's name without its extension.
func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}
