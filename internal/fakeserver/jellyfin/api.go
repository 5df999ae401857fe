package jellyfin

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// bodyLimit is more than any request needs, in bytes.
const bodyLimit = 1 << 20

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, need right, h http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !s.admitted(w, r, need) {
				return
			}
			s.mu.Lock()
			s.stats.Requests[pattern]++
			s.mu.Unlock()
			h(w, r)
		})
	}
	handle("GET /System/Info/Public", nobody, s.systemInfo)
	handle("GET /System/Info", user, s.systemInfo)
	// Emby asks for less, by its OpenAPI document.
	manage := admin
	if s.settings.Emby {
		manage = user
		handle("GET /Library/VirtualFolders/Query", manage, s.virtualFolders)
	}
	handle("GET /Library/VirtualFolders", manage, s.virtualFolders)
	handle("POST /Library/Media/Updated", user, s.mediaUpdated)
	handle("POST /Library/Refresh", admin, s.refreshLibraries)
	handle("POST /Items/{id}/Refresh", manage, s.refreshItem)
	handle("GET /Items", user, s.getItems)
	handle("GET /ScheduledTasks", admin, s.tasks)
	handle("POST /Environment/ValidatePath", admin, s.validatePath)
	handle("GET /Environment/DirectoryContents", admin, s.directoryContents)
	return mux
}

// ServeHTTP answers like the server.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	state, instead := s.state, s.instead
	s.mu.Unlock()
	switch {
	case instead != nil:
		instead(w, r)
		return
	case state == down:
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	case state == starting: // ServerSetupApp/SetupServer.cs
		w.Header().Set("Retry-After", "005")
		http.Error(w, "The server is still starting", http.StatusServiceUnavailable)
		return
	}
	if s.settings.Emby {
		if under, ok := strings.CutPrefix(r.URL.Path, "/emby/"); ok {
			r = r.Clone(r.Context())
			r.URL.Path = "/" + under
		}
	}
	s.mux.ServeHTTP(w, r)
}

// right is what a request needs.
type right int

const (
	nobody right = iota
	user
	admin
)

// admitted answers 401 to wrong credentials and 403 to too few rights, both without a word.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request, need right) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if need == nobody {
		return true
	}
	token := s.token(r)
	status := 0
	switch {
	case token != "" && token == s.key:
	case token != "" && token == s.settings.UserToken:
		if need == admin {
			status = http.StatusForbidden
		}
	default:
		status = http.StatusUnauthorized
	}
	if status != 0 {
		s.stats.Refused++
		w.WriteHeader(status)
		if s.settings.Emby && status == http.StatusUnauthorized {
			_, _ = w.Write([]byte("Access token is invalid or expired."))
		}
	}
	return status == 0
}

// token returns what a request shows, in the ways that the version knows.
func (s *Server) token(r *http.Request) string {
	old := regexp.MustCompile(`^10\.[0-7]\.`).MatchString(s.settings.Version)
	if value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "MediaBrowser "); ok && !s.settings.Emby {
		members := map[string]string{}
		for part := range strings.SplitSeq(value, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
			members[k] = strings.Trim(v, `"`)
		}
		if members["Device"] != "" || members["Version"] != "" {
			s.stats.Harmful++
		}
		if t := members["Token"]; t != "" && (!old || members["DeviceId"] != "") {
			return t
		}
	}
	query := r.URL.Query()
	if t := query.Get("ApiKey"); t != "" && !s.settings.Emby && !old {
		return t
	}
	if !s.settings.Emby && !s.settings.LegacyAuth {
		return ""
	}
	for _, t := range []string{r.Header.Get("X-Emby-Token"), r.Header.Get("X-MediaBrowser-Token"), query.Get("api_key")} {
		if t != "" {
			return t
		}
	}
	return ""
}

func (s *Server) systemInfo(w http.ResponseWriter, _ *http.Request) {
	info := map[string]any{"ServerName": "media", "Version": s.settings.Version, "Id": "4f2a8a5c6d7e4b1e9c3f0a1b2c3d4e5f"}
	if !s.settings.Emby {
		info["ProductName"] = "Jellyfin Server"
		info["StartupWizardCompleted"] = true
	}
	writeJSON(w, info)
}

func (s *Server) virtualFolders(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	folders := []map[string]any{}
	for _, l := range s.libraries {
		status := "Idle"
		for _, j := range s.queue {
			if j.id == l.id {
				status = "Queued"
			}
		}
		f := map[string]any{"Name": l.Name, "Locations": l.Locations, "CollectionType": l.Kind, "ItemId": l.id}
		if s.refreshing(l) {
			status, f["RefreshProgress"] = "Active", 10.0
		}
		f["RefreshStatus"] = status
		folders = append(folders, f)
	}
	s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/Query") {
		writeJSON(w, map[string]any{"Items": folders, "TotalRecordCount": len(folders)})
		return
	}
	writeJSON(w, folders)
}

// refreshing reports whether one of a library's locations is refreshed as a whole: the
// refresh of a series does not count.
func (s *Server) refreshing(l *library) bool {
	if s.running == nil {
		return false
	}
	if s.running.id == l.id || s.running.kind == "server" {
		return true
	}
	for _, location := range l.Locations {
		if s.running.id == s.id("Folder", location) {
			return true
		}
	}
	return false
}

func (s *Server) mediaUpdated(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Updates []struct{ Path, UpdateType string }
	}
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range in.Updates {
		if u.Path == "" {
			http.Error(w, "Error processing request.", http.StatusBadRequest)
			return
		}
		s.report(u.Path)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) refreshLibraries(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue(job{kind: "server", recursive: true}, "Root", "")
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) refreshItem(w http.ResponseWriter, r *http.Request) {
	query := parameters(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if query["replaceallmetadata"] == "true" || query["replaceallimages"] == "true" {
		s.stats.Harmful++
	}
	j := job{kind: "item", id: r.PathValue("id"), recursive: !s.settings.Emby || query["recursive"] == "true"}
	for _, l := range s.libraries {
		if l.id == j.id {
			j.kind = "library"
			s.enqueue(j, "CollectionFolder", l.Name)
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	it := s.items[j.id]
	if it == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.enqueue(j, it.Type, it.Name)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) tasks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	state := "Idle"
	if s.running != nil && s.running.kind == "server" {
		state = "Running"
	}
	s.mu.Unlock()
	writeJSON(w, []map[string]any{{"Name": "Scan Media Library", "Key": "RefreshLibrary", "State": state, "Id": "7738148ffcd07979c7ceb148e06b3aed", "Category": "Library"}})
}

func (s *Server) validatePath(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Path             string
		IsFile           *bool
		ValidateWritable bool
	}
	if !read(w, r, &in) {
		return
	}
	if s.settings.Emby {
		in.Path = parameters(r)["path"]
	}
	e, ok := s.settings.Disk.Stat(in.Path)
	if !ok || in.IsFile != nil && e.Folder == *in.IsFile {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// directoryContents answers 404 for a folder that is not there, as Jellyfin's
// ExceptionMiddleware does. Emby's sources are closed: it answers the worse 500.
func (s *Server) directoryContents(w http.ResponseWriter, r *http.Request) {
	query := parameters(r)
	found, ok := s.settings.Disk.List(query["path"])
	if !ok {
		status := http.StatusNotFound
		if s.settings.Emby {
			status = http.StatusInternalServerError
		}
		http.Error(w, "Error processing request.", status)
		return
	}
	entries := []map[string]any{}
	for _, e := range found {
		typ, wanted := "File", "includefiles"
		if e.Folder {
			typ, wanted = "Directory", "includedirectories"
		}
		if query[wanted] == "true" {
			entries = append(entries, map[string]any{"Name": pathmap.Base(e.Path), "Path": e.Path, "Type": typ})
		}
	}
	writeJSON(w, entries)
}

// parameters are those of the query, whose names have no case.
func parameters(r *http.Request) map[string]string {
	all := map[string]string{}
	for k, v := range r.URL.Query() {
		all[strings.ToLower(k)] = strings.Join(v, ",")
	}
	return all
}

// read decodes a body of JSON, or answers 400.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(v); err != nil {
		http.Error(w, "The request's body is not valid: "+strconv.Quote(err.Error()), http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// The client is gone when this fails.
	_ = json.NewEncoder(w).Encode(v)
}
