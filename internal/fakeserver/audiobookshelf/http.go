package audiobookshelf

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP answers like Audiobookshelf.
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
	switch {
	case r.URL.Path == "/status":
		writeJSON(w, map[string]any{"app": "audiobookshelf", "serverVersion": s.config.Version, "isInit": true, "language": "en-us"})
	case !strings.HasPrefix(r.URL.Path, "/api/"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><title>Audiobookshelf</title>")
	case r.Header.Get("Authorization") != "Bearer "+s.config.Token:
		sendStatus(w, http.StatusUnauthorized)
	default:
		s.api(w, r)
	}
}

// api answers those who have a key.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/"), "/"), "/")
	switch at := r.Method + " " + parts[0]; {
	case at == "GET me":
		kind := "admin"
		if s.config.NotAdmin {
			kind = "user"
		}
		writeJSON(w, map[string]any{"id": "user1", "username": "hookarr", "type": kind, "isActive": true})
	case at == "GET tasks":
		s.listTasks(w)
	case at == "GET libraries" && len(parts) == 1:
		s.listLibraries(w)
	case (at == "GET libraries" || at == "POST libraries") && len(parts) == 3:
		s.inLibrary(w, r, parts[1], parts[2])
	case at == "GET items" && len(parts) == 2:
		s.item(w, parts[1])
	case r.Method == http.MethodPost && r.URL.Path == "/api/filesystem/pathexists":
		s.pathExists(w, r)
	case at == "GET filesystem":
		s.filesystem(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/api/watcher/update":
		s.watcher(w, r)
	default:
		sendStatus(w, http.StatusNotFound)
	}
}

func (s *Server) listTasks(w http.ResponseWriter) {
	all := []map[string]any{}
	for _, t := range s.tasks {
		all = append(all, map[string]any{"id": t.id, "action": t.action, "data": map[string]any{"libraryId": t.library}, "isFinished": false, "isFailed": false})
	}
	writeJSON(w, map[string]any{"tasks": all})
}

func (s *Server) listLibraries(w http.ResponseWriter) {
	all := []map[string]any{}
	for _, l := range s.config.Libraries {
		folders := []map[string]any{}
		for i, f := range l.Folders {
			folders = append(folders, map[string]any{"id": fmt.Sprintf("%s-folder%d", l.ID, i+1), "fullPath": f, "libraryId": l.ID})
		}
		all = append(all, map[string]any{"id": l.ID, "name": l.Name, "mediaType": l.Kind, "folders": folders})
	}
	writeJSON(w, map[string]any{"libraries": all})
}

func (s *Server) inLibrary(w http.ResponseWriter, r *http.Request, id, what string) {
	l, ok := s.library(id)
	switch {
	case !ok:
		http.Error(w, "Library not found", http.StatusNotFound)
	case what == "scan" && r.Method == http.MethodPost && s.config.NotAdmin:
		sendStatus(w, http.StatusForbidden)
	case what == "scan" && r.Method == http.MethodPost:
		sendStatus(w, http.StatusOK) // before it begins, and whether it does or not
		s.scan(l)
	case what == "items" && r.Method == http.MethodGet:
		s.listItems(w, r, l)
	case what == "search" && r.Method == http.MethodGet:
		s.search(w, r, l)
	default:
		sendStatus(w, http.StatusNotFound)
	}
}

// pathExists tells whether there is something at a path in a library's folder. For what is
// not there it tells of an item in one of the folders above it, if there is one.
func (s *Server) pathExists(w http.ResponseWriter, r *http.Request) {
	var in struct{ Filepath, Directory, FolderPath string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in)
	if s.config.OldPathExists {
		in.FolderPath, in.Directory = "", in.Filepath
	}
	known := s.config.OldPathExists || slices.ContainsFunc(s.config.Libraries, func(l Library) bool { return slices.Contains(l.Folders, in.FolderPath) })
	at := path.Join(in.FolderPath, in.Directory)
	switch {
	case s.config.NoUpload:
		sendStatus(w, http.StatusForbidden)
		return
	case err != nil, in.Directory == "":
		sendStatus(w, http.StatusBadRequest)
		return
	case !known:
		sendStatus(w, http.StatusNotFound)
		return
	}
	answer := map[string]any{"exists": false}
	if _, ok := s.disk.Stat(at); ok {
		answer["exists"] = true
	} else if i := slices.IndexFunc(s.items, func(i Item) bool { return !s.config.OldPathExists && within(at, i.Path) }); i >= 0 {
		answer["exists"], answer["libraryItemTitle"] = true, s.items[i].Title
	}
	writeJSON(w, answer)
}

// listItems pages through a library: with desc=1 those first that came last, or by
// sort=mtimeMs whose folders changed last. Limit 0 is all.
func (s *Server) listItems(w http.ResponseWriter, r *http.Request, l Library) {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	page, _ := strconv.Atoi(q.Get("page"))
	items := slices.DeleteFunc(slices.Clone(s.items), func(i Item) bool { return i.Library != l.ID })
	if q.Get("sort") == "mtimeMs" {
		slices.SortStableFunc(items, func(a, b Item) int { return a.changed.Compare(b.changed) })
	}
	if q.Get("desc") == "1" {
		slices.Reverse(items)
	}
	all := []map[string]any{}
	for _, item := range items {
		all = append(all, item.minified())
	}
	total := len(all)
	if limit > 0 {
		from := min(page*limit, total)
		all = all[from:min(from+limit, total)]
	}
	writeJSON(w, map[string]any{"results": all, "total": total, "limit": limit, "page": page})
}

// search finds items by their title.
func (s *Server) search(w http.ResponseWriter, r *http.Request, l Library) {
	q := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("q")))
	if q == "" {
		http.Error(w, `Invalid request. Query param "q" must be a string`, http.StatusBadRequest)
		return
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		limit = 12
	}
	found := []map[string]any{}
	for _, item := range s.items {
		if item.Library == l.ID && strings.Contains(strings.ToLower(item.Title), q) && len(found) < limit {
			found = append(found, map[string]any{"libraryItem": item.expanded()})
		}
	}
	writeJSON(w, map[string]any{l.Kind: found})
}

func (s *Server) item(w http.ResponseWriter, id string) {
	i := slices.IndexFunc(s.items, func(item Item) bool { return item.ID == id })
	if i < 0 {
		sendStatus(w, http.StatusNotFound)
		return
	}
	writeJSON(w, s.items[i].expanded())
}

func (i Item) minified() map[string]any {
	return map[string]any{
		"id": i.ID, "libraryId": i.Library, "path": i.Path, "isFile": i.IsFile, "isMissing": i.Missing, "isInvalid": false,
		"addedAt": i.added.UnixMilli(), "numFiles": len(i.Files), "media": map[string]any{"metadata": map[string]any{"title": i.Title}},
	}
}

func (i Item) expanded() map[string]any {
	item := i.minified()
	files := []map[string]any{}
	for _, f := range i.Files {
		files = append(files, map[string]any{"ino": "1", "fileType": "audio", "metadata": map[string]any{"path": f, "size": i.sizes[f]}})
	}
	item["libraryFiles"] = files
	return item
}

// filesystem lists the folders in a folder. One that does not exist is refused.
func (s *Server) filesystem(w http.ResponseWriter, r *http.Request) {
	at := r.URL.Query().Get("path")
	files, ok := s.disk.Paths(at)
	switch {
	case s.config.NotAdmin:
		sendStatus(w, http.StatusForbidden)
		return
	case !ok:
		http.Error(w, `Invalid "path" query string`, http.StatusBadRequest)
		return
	}
	folders := []map[string]any{}
	seen := map[string]bool{}
	for _, f := range files {
		name, _, below := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f, at), "/"), "/")
		if below && !seen[name] {
			seen[name] = true
			folders = append(folders, map[string]any{"path": strings.TrimSuffix(at, "/") + "/" + name, "dirname": name, "level": 0})
		}
	}
	writeJSON(w, map[string]any{"posix": true, "directories": folders})
}

// watcher takes the report of a file. What becomes of it, nobody is told.
func (s *Server) watcher(w http.ResponseWriter, r *http.Request) {
	var in struct{ LibraryID, Path, Type, OldPath string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in)
	switch {
	case s.config.NotAdmin:
		sendStatus(w, http.StatusForbidden)
		return
	case err != nil, in.LibraryID == "", in.Path == "", !slices.Contains([]string{"add", "unlink", "rename"}, in.Type), in.Type == "rename" && in.OldPath == "":
		sendStatus(w, http.StatusBadRequest)
		return
	}
	sendStatus(w, http.StatusOK)
	if in.OldPath != "" {
		s.report(in.LibraryID, in.OldPath)
	}
	s.report(in.LibraryID, in.Path)
}

// sendStatus answers as Express does: with the status's name as text.
func sendStatus(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, http.StatusText(status))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// The client is gone when this fails, and its own error says so.
	_ = json.NewEncoder(w).Encode(v)
}
