package plex

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// object is a thing in an answer.
type object = map[string]any

// route answers a request.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/identity" {
		s.answer(w, r, object{"size": 0, "claimed": true, "machineIdentifier": "f0a1b2c3d4", "version": s.version()})
		return
	}
	token := r.Header.Get("X-Plex-Token")
	if token == "" {
		token = r.URL.Query().Get("X-Plex-Token")
	}
	switch {
	case token == s.owner():
	case s.Guest != "" && token == s.Guest:
		if r.Method != http.MethodGet || strings.HasSuffix(r.URL.Path, "/refresh") || strings.HasPrefix(r.URL.Path, "/services/") {
			refuse(w, http.StatusForbidden)
			return
		}
	default:
		refuse(w, http.StatusUnauthorized)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/":
		s.answer(w, r, object{"size": 0, "friendlyName": "media", "version": s.version(), "machineIdentifier": "f0a1b2c3d4"})
	case r.URL.Path == "/activities":
		s.activities(w, r)
	case strings.HasPrefix(r.URL.Path, "/services/browse") && !s.NoBrowse:
		s.browse(w, r)
	case len(parts) >= 2 && parts[0] == "library" && parts[1] == "sections":
		s.library(w, r, parts[2:])
	case len(parts) >= 3 && parts[0] == "library" && parts[1] == "metadata":
		s.metadata(w, r, parts[2:])
	default:
		refuse(w, http.StatusNotFound)
	}
}

// refuse answers with the page that Plex has for errors.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<html><head><title>" + http.StatusText(status) + "</title></head><body><h1>" + strconv.Itoa(status) + "</h1></body></html>"))
}

// answer writes a container: as JSON for who asks for it, as XML for everybody else.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, container object) {
	if !strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "text/xml;charset=utf-8")
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<MediaContainer size=\"0\"></MediaContainer>\n"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The client is gone when this fails, and its own error says so.
	_ = json.NewEncoder(w).Encode(object{"MediaContainer": container})
}

func (s *Server) activities(w http.ResponseWriter, r *http.Request) {
	var all []object
	for _, sec := range s.sections {
		if sec.refreshing {
			all = append(all, object{"type": "library.update.section", "title": "Scanning " + sec.title, "cancellable": true, "progress": 0})
		}
	}
	s.answer(w, r, object{"size": len(all), "Activity": all})
}

// browse lists a folder, and for one that is not there nothing.
func (s *Server) browse(w http.ResponseWriter, r *http.Request) {
	encoded := strings.Trim(strings.TrimPrefix(r.URL.Path, "/services/browse"), "/")
	folder := "/"
	if encoded != "" {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			refuse(w, http.StatusBadRequest)
			return
		}
		folder = string(raw)
	}
	in, _ := s.Disk.List(folder)
	folders, files := []object{}, []object{}
	for _, e := range in {
		o := object{"title": pathmap.Base(e.Path), "path": e.Path, "key": "/services/browse/" + base64.StdEncoding.EncodeToString([]byte(e.Path))}
		switch {
		case e.Folder:
			folders = append(folders, o)
		case r.URL.Query().Get("includeFiles") == "1":
			files = append(files, o)
		}
	}
	s.answer(w, r, object{"size": len(folders) + len(files), "Path": folders, "File": files})
}

func (s *Server) library(w http.ResponseWriter, r *http.Request, parts []string) {
	if len(parts) == 0 {
		s.directories(w, r)
		return
	}
	sec := s.section(parts[0])
	if sec == nil || len(parts) != 2 {
		refuse(w, http.StatusNotFound)
		return
	}
	switch parts[1] {
	case "refresh":
		if s.ScanMethod != "" && r.Method != s.ScanMethod || r.Method != http.MethodGet && r.Method != http.MethodPost {
			refuse(w, http.StatusNotFound)
			return
		}
		s.refresh(sec, r.URL.Query().Get("path"))
		w.WriteHeader(http.StatusOK)
	case "emptyTrash":
		if r.Method != http.MethodPut {
			refuse(w, http.StatusNotFound)
			return
		}
		s.emptied++
		sec.items = slices.DeleteFunc(sec.items, func(it *item) bool { return !it.deleted.IsZero() })
		w.WriteHeader(http.StatusOK)
	case "all":
		s.all(w, r, sec)
	default:
		refuse(w, http.StatusNotFound)
	}
}

func (s *Server) directories(w http.ResponseWriter, r *http.Request) {
	var all []object
	for _, sec := range s.sections {
		var locations []object
		for i, l := range sec.locations {
			locations = append(locations, object{"id": i + 1, "path": l})
		}
		all = append(all, object{
			"key": sec.key, "title": sec.title, "type": sec.kind, "refreshing": sec.refreshing,
			"scannedAt": sec.scanned.Unix(), "Location": locations,
		})
	}
	s.answer(w, r, object{"size": len(all), "title1": "Plex Library", "Directory": all})
}

// The numbers that queries have for types of items.
const (
	typeMovie   = "1"
	typeShow    = "2"
	typeEpisode = "4"
	typeArtist  = "8"
	typeTrack   = "10"
)

// all lists a section's items, one page of them.
func (s *Server) all(w http.ResponseWriter, r *http.Request, sec *section) {
	q := r.URL.Query()
	var list []object
	title := strings.ToLower(q.Get("title"))
	matches := func(name string) bool { return strings.Contains(strings.ToLower(name), title) }
	items := slices.Clone(sec.items)
	if sort := q.Get("sort"); strings.HasSuffix(sort, ":desc") {
		slices.SortStableFunc(items, func(a, b *item) int {
			if strings.HasPrefix(sort, "updatedAt") {
				return b.updated.Compare(a.updated)
			}
			return b.added.Compare(a.added)
		})
	}
	switch kind := q.Get("type"); {
	case kind == typeShow && sec.kind == Shows, kind == typeArtist && sec.kind == Music:
		seen := map[string]bool{}
		for _, it := range items {
			if !seen[it.grandKey] && matches(it.grandName) {
				seen[it.grandKey] = true
				list = append(list, s.grand(sec, it, q.Get("includeGuids") == "1"))
			}
		}
	case kind == typeMovie && sec.kind == Movies, kind == typeEpisode && sec.kind == Shows, kind == typeTrack && sec.kind == Music:
		seen := map[string]bool{}
		for _, it := range items {
			if matches(it.title) && !seen[it.key] {
				seen[it.key] = true
				list = append(list, s.leaf(sec, it, q.Get("includeGuids") == "1"))
			}
		}
	}
	s.part(w, r, list)
}

// part answers with the part of a list that the request asks for.
func (s *Server) part(w http.ResponseWriter, r *http.Request, list []object) {
	number := func(name string, otherwise int) int {
		for _, text := range []string{r.URL.Query().Get(name), r.Header.Get(name)} {
			if n, err := strconv.Atoi(text); err == nil && n >= 0 {
				return n
			}
		}
		return otherwise
	}
	start := min(number("X-Plex-Container-Start", 0), len(list))
	end := min(start+number("X-Plex-Container-Size", len(list)), len(list))
	s.answer(w, r, object{"size": end - start, "totalSize": len(list), "offset": start, "Metadata": list[start:end]})
}

func (s *Server) metadata(w http.ResponseWriter, r *http.Request, parts []string) {
	var list []object
	seen := map[string]bool{}
	for _, sec := range s.sections {
		for _, it := range sec.items {
			switch {
			case seen[it.key]:
			case len(parts) == 1 && it.key == parts[0]:
				seen[it.key] = true
				list = append(list, s.leaf(sec, it, true))
			case len(parts) == 1 && it.grandKey == parts[0] && sec.kind != Movies && len(list) == 0:
				list = append(list, s.grand(sec, it, true))
			case len(parts) == 2 && parts[1] == "allLeaves" && it.grandKey == parts[0]:
				seen[it.key] = true
				list = append(list, s.leaf(sec, it, false))
			}
		}
	}
	if len(list) == 0 {
		refuse(w, http.StatusNotFound)
		return
	}
	s.part(w, r, list)
}

// grand is a show or an artist.
func (s *Server) grand(sec *section, it *item, guids bool) object {
	o := object{
		"ratingKey": it.grandKey, "key": "/library/metadata/" + it.grandKey + "/children", "title": it.grandName, "type": sec.kind,
		"Location": []object{{"path": it.grandFolder}},
	}
	if guids {
		o["Guid"] = s.guid(it.grandFolder)
	}
	return o
}

// leaf is a movie, an episode or a track.
func (s *Server) leaf(sec *section, it *item, guids bool) object {
	var media []object
	var deleted time.Time
	there := false
	for _, f := range sec.items {
		if f.key != it.key {
			continue
		}
		m := object{"id": 1, "Part": []object{{"id": 1, "key": "/library/parts/1/file", "file": f.file, "size": f.size}}}
		if f.deleted.IsZero() {
			there = true
		} else {
			m["deletedAt"], deleted = f.deleted.Unix(), f.deleted
		}
		media = append(media, m)
	}
	o := object{
		"ratingKey": it.key, "key": "/library/metadata/" + it.key, "title": it.title,
		"type":    map[string]string{Movies: "movie", Shows: "episode", Music: "track"}[sec.kind],
		"addedAt": it.added.Unix(), "updatedAt": it.updated.Unix(), "Media": media,
	}
	if !there {
		o["deletedAt"] = deleted.Unix()
	}
	if sec.kind != Movies {
		o["grandparentTitle"], o["grandparentRatingKey"] = it.grandName, it.grandKey
		o["parentIndex"], o["index"] = it.season, it.number
		return o
	}
	if guids {
		o["Guid"] = s.guid(it.grandFolder)
	}
	return o
}

func (s *Server) guid(folder string) []object {
	var all []object
	for _, service := range []string{"imdb", "tmdb", "tvdb"} {
		if id := s.guids[folder][service]; id != "" {
			all = append(all, object{"id": service + "://" + id})
		}
	}
	return all
}
