package navidrome

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// pages answers the API that Navidrome's own web pages use. Other paths have the page
// itself.
func (s *Server) pages(w http.ResponseWriter, r *http.Request) {
	switch at := strings.TrimSuffix(r.URL.Path, "/"); {
	case s.config.NoPages:
		http.NotFound(w, r)
	case at == "/auth/login" && r.Method == http.MethodPost:
		s.login(w, r)
	case !strings.HasPrefix(at, "/api/"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Navidrome</title>")
	case r.Header.Get("X-ND-Authorization") != "Bearer "+s.token():
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Not authenticated"})
	case at == "/api/library" && s.config.NotAdmin:
		http.Error(w, "Access denied: admin privileges required", http.StatusForbidden)
	case at == "/api/library":
		all := []map[string]any{}
		for _, l := range s.config.Libraries {
			all = append(all, map[string]any{"id": l.ID, "name": l.Name, "path": l.Path})
		}
		list(w, r, all)
	case at == "/api/song":
		s.list(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in); err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"error": "invalid request payload"})
		return
	}
	if in.Username != s.config.Username || in.Password != s.config.Password {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Invalid username or password"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": "user1", "username": in.Username, "isAdmin": !s.config.NotAdmin, "token": s.token()})
}

// list answers with songs. The filter path is the beginning of a path in the library, in
// any case; % and _ are wildcards in it, which only matters for what else is found.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	all := []map[string]any{}
	for _, song := range s.songs {
		relative := strings.TrimPrefix(strings.TrimPrefix(song.Path, song.library.Path), "/")
		if !strings.HasPrefix(strings.ToLower(relative), strings.ToLower(q.Get("path"))) ||
			q.Get("library_id") != "" && q.Get("library_id") != strconv.Itoa(song.library.ID) ||
			q.Get("artists_id") != "" && q.Get("artists_id") != artistID(song) ||
			q.Get("missing") != "" && q.Get("missing") != strconv.FormatBool(song.Missing) {
			continue
		}
		all = append(all, map[string]any{
			"id": song.ID, "libraryId": song.library.ID, "libraryPath": song.library.Path, "libraryName": song.library.Name,
			"path": relative, "title": song.Title, "album": song.Album, "artist": song.Artist, "missing": song.Missing, "size": song.size,
			"albumId":        albumID(song),
			"mbzRecordingID": song.RecordingID, "mbzAlbumId": song.AlbumID, "mbzArtistId": song.ArtistID,
		})
	}
	list(w, r, all)
}

// list writes the part of all that _start and _end ask for.
func list(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	from, _ := strconv.Atoi(r.URL.Query().Get("_start"))
	to, err := strconv.Atoi(r.URL.Query().Get("_end"))
	if err != nil || to > len(all) {
		to = len(all)
	}
	writeJSON(w, http.StatusOK, all[min(from, to):to])
}
