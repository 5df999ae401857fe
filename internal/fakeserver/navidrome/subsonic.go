package navidrome

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The errors of the Subsonic API: https://opensubsonic.netlify.app/docs/responses/error/.
const (
	codeGeneric    = 0
	codeMissing    = 10
	codeWrongLogin = 40
	codeNoRight    = 50
	codeNotFound   = 70
)

// refusal is an answer that says no. Its HTTP status is 200 all the same.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

// subsonic answers a method. Only f=json is imitated in full.
func (s *Server) subsonic(w http.ResponseWriter, r *http.Request, method string) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := map[string]any{"status": "ok", "version": "1.16.1", "type": "navidrome", "serverVersion": s.config.Version, "openSubsonic": true}
	name, v, err := s.method(r, method)
	switch {
	case err != nil:
		answer["status"], answer["error"] = "failed", map[string]any{"code": err.code, "message": err.text}
	case name != "":
		answer[name] = v
	}
	if r.Form.Get("f") != "json" {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = fmt.Fprintf(w, `<subsonic-response xmlns="http://subsonic.org/restapi" status=%q version="1.16.1"></subsonic-response>`, answer["status"])
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"subsonic-response": answer})
}

func (s *Server) method(r *http.Request, method string) (string, any, *refusal) {
	for _, p := range []string{"u", "v", "c"} {
		if r.Form.Get(p) == "" {
			return "", nil, &refusal{codeMissing, "missing parameter: '" + p + "'"}
		}
	}
	if !s.known(r) {
		return "", nil, &refusal{codeWrongLogin, "Wrong username or password"}
	}
	switch method {
	case "ping":
		return "", nil, nil
	case "getUser":
		return "user", map[string]any{"username": s.config.Username, "adminRole": !s.config.NotAdmin}, nil
	case "getAlbum":
		return s.album(r.Form.Get("id"))
	case "getMusicFolders":
		folders := []map[string]any{}
		for _, l := range s.config.Libraries {
			folders = append(folders, map[string]any{"id": l.ID, "name": l.Name})
		}
		return "musicFolders", map[string]any{"musicFolder": folders}, nil
	case "getScanStatus":
		return "scanStatus", s.status(), nil
	case "startScan":
		if s.config.NotAdmin {
			return "", nil, &refusal{codeNoRight, "User is not authorized for the given operation"}
		}
		targets, err := s.targets(r.Form["target"])
		if err != nil {
			return "", nil, err
		}
		s.begin(r.Form["target"], targets)
		return "scanStatus", s.status(), nil
	case "search3":
		return "searchResult3", s.search(r), nil
	default:
		return "", nil, &refusal{codeGeneric, "not imitated: " + method}
	}
}

// known judges a token, or a password in the open.
func (s *Server) known(r *http.Request) bool {
	if r.Form.Get("u") != s.config.Username {
		return false
	}
	if p := r.Form.Get("p"); p != "" {
		return p == s.config.Password
	}
	sum := md5.Sum([]byte(s.config.Password + r.Form.Get("s")))
	return r.Form.Get("t") == hex.EncodeToString(sum[:])
}

func (s *Server) status() map[string]any {
	status := map[string]any{"scanning": s.scan != nil, "count": len(s.songs), "folderCount": 0, "scanType": "quick", "elapsedTime": 0}
	if !s.lastScan.IsZero() {
		status["lastScan"] = s.lastScan.UTC().Format(time.RFC3339Nano)
	}
	if s.lastErr != "" {
		status["error"] = s.lastErr
	}
	return status
}

// targets reads LIBRARY:FOLDER, whose folder is in the library, or absolute.
func (s *Server) targets(asked []string) ([]target, *refusal) {
	var all []target
	if s.config.NoTargets {
		return nil, nil
	}
	for _, t := range asked {
		id, folder, ok := strings.Cut(t, ":")
		if !ok {
			return nil, &refusal{codeGeneric, fmt.Sprintf("Invalid target parameter: invalid target format: %q (expected libraryID:folderPath)", t)}
		}
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, &refusal{codeGeneric, fmt.Sprintf("Invalid target parameter: invalid library ID %q", id)}
		}
		i := slices.IndexFunc(s.config.Libraries, func(l Library) bool { return l.ID == n })
		if i < 0 {
			return nil, &refusal{codeNotFound, fmt.Sprintf("Library with ID %d not found", n)}
		}
		if !strings.HasPrefix(folder, "/") {
			folder = path.Join(s.config.Libraries[i].Path, folder)
		}
		all = append(all, target{s.config.Libraries[i], path.Clean(folder)})
	}
	return all, nil
}

// album is an album with its songs.
func (s *Server) album(id string) (string, any, *refusal) {
	songs := []map[string]any{}
	for _, song := range s.songs {
		if albumID(song) == id && !song.Missing {
			songs = append(songs, s.child(song))
		}
	}
	if len(songs) == 0 {
		return "", nil, &refusal{codeNotFound, "Album not found"}
	}
	return "album", map[string]any{"id": id, "songCount": len(songs), "song": songs}, nil
}

// search finds songs that have all words in their title, album or artist; a query of
// nothing finds all. For a MusicBrainz id it finds the artist, the album and the song that
// have it.
func (s *Server) search(r *http.Request) map[string]any {
	query := strings.ToLower(strings.Trim(strings.TrimSuffix(r.Form.Get("query"), "*"), `"`))
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(query)
	songs, albums, artists := []map[string]any{}, []map[string]any{}, []map[string]any{}
	seen := map[string]bool{}
	for _, song := range s.songs {
		if song.Missing {
			continue
		}
		text := strings.ToLower(song.Title + " " + song.Album + " " + song.Artist)
		words := !uuid && !slices.ContainsFunc(strings.Fields(query), func(word string) bool { return !strings.Contains(text, word) })
		if words || uuid && song.RecordingID == query {
			songs = append(songs, s.child(song))
		}
		if uuid && song.AlbumID == query && !seen[albumID(song)] {
			seen[albumID(song)] = true
			albums = append(albums, map[string]any{"id": albumID(song), "name": song.Album, "musicBrainzId": query})
		}
		if uuid && song.ArtistID == query && !seen[artistID(song)] {
			seen[artistID(song)] = true
			artists = append(artists, map[string]any{"id": artistID(song), "name": song.Artist, "musicBrainzId": query})
		}
	}
	return map[string]any{"song": part(r, "song", songs), "album": part(r, "album", albums), "artist": part(r, "artist", artists)}
}

// part is the page that was asked for, of 20 unless told otherwise.
func part(r *http.Request, kind string, all []map[string]any) []map[string]any {
	count, err := strconv.Atoi(r.Form.Get(kind + "Count"))
	if err != nil {
		count = 20
	}
	offset, _ := strconv.Atoi(r.Form.Get(kind + "Offset"))
	from := min(offset, len(all))
	return all[from:min(from+count, len(all))]
}

func albumID(song Song) string  { return "album-" + song.Artist + "-" + song.Album }
func artistID(song Song) string { return "artist-" + song.Artist }

// child is a song as Subsonic clients see it. Its path is invented from its tags unless
// the player is set to tell the real one.
func (s *Server) child(song Song) map[string]any {
	at := fmt.Sprintf("%s/%s/%s%s", song.Artist, song.Album, song.Title, path.Ext(song.Path))
	if s.config.RealPaths {
		at = song.Path
	}
	return map[string]any{
		"id": song.ID, "isDir": false, "title": song.Title, "album": song.Album, "artist": song.Artist, "path": at,
		"albumId": albumID(song), "musicBrainzId": song.RecordingID, "type": "music",
	}
}
