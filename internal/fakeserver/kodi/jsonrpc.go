package kodi

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
)

// The errors of JSON-RPC: https://kodi.wiki/view/JSON-RPC_API.
const (
	codeParse         = -32700
	codeInvalid       = -32600
	codeUnknownMethod = -32601
	codeParams        = -32602
)

// rpcError is an error as the API tells it. Its HTTP status is 200.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// params are those of all methods that are imitated.
type params struct {
	Directory   string   `json:"directory"`
	ShowDialogs *bool    `json:"showdialogs"`
	Content     string   `json:"content"`
	Media       string   `json:"media"`
	Properties  []string `json:"properties"`
	Booleans    []string `json:"booleans"`
	Filter      *filter  `json:"filter"`
	TVShowID    int      `json:"tvshowid"`
	Limits      *struct {
		Start int `json:"start"`
		End   int `json:"end"`
	} `json:"limits"`
}

// filter is a rule, or several of which all or one must be true.
type filter struct {
	Field    string   `json:"field"`
	Operator string   `json:"operator"`
	Value    string   `json:"value"`
	And      []filter `json:"and"`
	Or       []filter `json:"or"`
}

// ServeHTTP answers like Kodi's web server.
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
	if username, password, _ := r.BasicAuth(); s.config.Password != "" && (username != s.config.Username || password != s.config.Password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="Kodi"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path != "/jsonrpc":
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Kodi</title>"))
		return
	case !strings.Contains(r.Header.Get("Content-Type"), "application/json"):
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	s.work()
	s.rpc(w, r)
}

func (s *Server) rpc(w http.ResponseWriter, r *http.Request) {
	var call struct {
		JSONRPC string          `json:"jsonrpc"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params"`
		ID      any             `json:"id"`
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": nil}
	defer func() {
		w.Header().Set("Content-Type", "application/json")
		// The client is gone when this fails, and its own error says so.
		_ = json.NewEncoder(w).Encode(answer)
	}()
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&call) != nil {
		answer["error"] = rpcError{codeParse, "Parse error."}
		return
	}
	answer["id"] = call.ID
	if call.JSONRPC != "2.0" || call.Method == "" {
		answer["error"] = rpcError{codeInvalid, "Invalid request."}
		return
	}
	var p params
	if len(call.Params) > 0 {
		d := json.NewDecoder(strings.NewReader(string(call.Params)))
		d.DisallowUnknownFields()
		if d.Decode(&p) != nil {
			answer["error"] = rpcError{codeParams, "Invalid params."}
			return
		}
	}
	result, err := s.call(call.Method, p)
	if err != nil {
		answer["error"] = err
		return
	}
	answer["result"] = result
}

func (s *Server) call(method string, p params) (any, *rpcError) {
	switch method {
	case "JSONRPC.Ping":
		return "pong", nil
	case "Application.GetProperties":
		return map[string]any{"name": "Kodi", "version": map[string]any{"major": 21, "minor": 2, "tag": "stable"}}, nil
	case "Player.GetActivePlayers":
		players := []map[string]any{}
		if s.config.Playing != "" {
			players = append(players, map[string]any{"playerid": 1, "playertype": "internal", "type": s.config.Playing})
		}
		return players, nil
	case "XBMC.GetInfoBooleans":
		values := map[string]any{}
		for _, name := range p.Booleans {
			values[name] = name == "Library.IsScanningVideo" && s.busy(false) >= 0 || name == "Library.IsScanningMusic" && s.busy(true) >= 0 ||
				name == "Library.IsScanning" && len(s.jobs) > 0
		}
		return values, nil
	case "VideoLibrary.Scan", "AudioLibrary.Scan":
		s.calls = append(s.calls, Call{Method: method, Directory: p.Directory})
		s.scan(method == "AudioLibrary.Scan", p.Directory)
		return "OK", nil
	case "VideoLibrary.Clean", "AudioLibrary.Clean":
		s.calls = append(s.calls, Call{Method: method, Directory: p.Directory, Content: p.Content})
		s.clean(method == "AudioLibrary.Clean", p.Directory, p.Content)
		return "OK", nil
	case "Files.GetSources":
		return s.sources(p.Media)
	case "Files.GetDirectory":
		return s.directory(p.Directory)
	case "VideoLibrary.GetMovies", "VideoLibrary.GetEpisodes", "VideoLibrary.GetTVShows", "VideoLibrary.GetTVShowDetails", "AudioLibrary.GetSongs":
		return s.list(method, p)
	default:
		return nil, &rpcError{codeUnknownMethod, "Method not found."}
	}
}

func (s *Server) sources(media string) (any, *rpcError) {
	if media != "video" && media != "music" {
		return nil, &rpcError{codeParams, "Invalid params."}
	}
	all := []map[string]any{}
	for _, source := range s.config.Sources {
		if (source.Content == Music) == (media == "music") {
			all = append(all, map[string]any{"file": source.Path, "label": source.Label})
		}
	}
	return limited("sources", all, params{}), nil
}

// directory lists a folder of a source. What is not there is an invalid parameter.
func (s *Server) directory(directory string) (any, *rpcError) {
	for _, source := range s.config.Sources {
		relative, ok := strings.CutPrefix(strings.TrimSuffix(directory, "/")+"/", source.Path)
		if !ok {
			continue
		}
		folder := path.Join(source.Folder, relative)
		files, ok := s.disk.Paths(folder)
		if !ok || len(files) == 1 && files[0] == folder {
			break
		}
		all := []map[string]any{}
		seen := map[string]bool{}
		for _, f := range files {
			name, _, below := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f, folder), "/"), "/")
			if seen[name] {
				continue
			}
			seen[name] = true
			entry := map[string]any{"file": source.Path + relative + name, "filetype": "file", "label": name, "type": "unknown"}
			if below {
				entry["file"], entry["filetype"] = source.Path+relative+name+"/", "directory"
			}
			all = append(all, entry)
		}
		return limited("files", all, params{}), nil
	}
	return nil, &rpcError{codeParams, "Invalid params."}
}

// list answers with a part of the library.
func (s *Server) list(method string, p params) (any, *rpcError) {
	kinds := map[string][3]string{
		"VideoLibrary.GetMovies": {Movies, "movies", "movieid"}, "VideoLibrary.GetEpisodes": {TVShows, "episodes", "episodeid"}, "AudioLibrary.GetSongs": {Music, "songs", "songid"},
	}
	kind, ok := kinds[method]
	if !ok {
		return s.shows(method, p)
	}
	all := []map[string]any{}
	for _, i := range s.items {
		dir := i.File[:strings.LastIndex(i.File, "/")+1]
		title := s.title(path.Base(dir))
		if i.Content != kind[0] || p.Filter != nil && !p.Filter.matches(dir, i.File[len(dir):], title.Name) {
			continue
		}
		item := map[string]any{kind[2]: i.ID, "label": title.Name, "file": i.File, "title": title.Name, "uniqueid": title.IDs}
		if i.Show != "" {
			item["showtitle"], item["tvshowid"] = s.title(path.Base(i.Show)).Name, s.showID(i.Show)
		}
		all = append(all, picked(item, kind[2], p.Properties))
	}
	return limited(kind[1], all, p), nil
}

func (s *Server) shows(method string, p params) (any, *rpcError) {
	all := []map[string]any{}
	var seen []string
	for _, i := range s.items {
		if i.Show == "" || slices.Contains(seen, i.Show) {
			continue
		}
		seen = append(seen, i.Show)
		title := s.title(path.Base(i.Show))
		show := picked(map[string]any{"tvshowid": s.showID(i.Show), "label": title.Name, "title": title.Name, "file": i.Show, "uniqueid": title.IDs}, "tvshowid", p.Properties)
		if method == "VideoLibrary.GetTVShowDetails" {
			if s.showID(i.Show) == p.TVShowID {
				return map[string]any{"tvshowdetails": show}, nil
			}
			continue
		}
		if p.Filter == nil || p.Filter.matches(i.Show, "", title.Name) {
			all = append(all, show)
		}
	}
	if method == "VideoLibrary.GetTVShowDetails" {
		return nil, &rpcError{codeParams, "Invalid params."}
	}
	return limited("tvshows", all, p), nil
}

// title is what the scraper takes a folder for: by its name, if it knows none.
func (s *Server) title(folder string) Title {
	if t, ok := s.config.Titles[folder]; ok {
		return t
	}
	return Title{Name: folder, IDs: map[string]string{}}
}

func (s *Server) showID(show string) int {
	return slices.IndexFunc(s.items, func(i Item) bool { return i.Show == show }) + 1
}

// picked leaves of an item what was asked for.
func picked(item map[string]any, id string, properties []string) map[string]any {
	for name := range item {
		if name != id && name != "label" && !slices.Contains(properties, name) {
			delete(item, name)
		}
	}
	return item
}

func limited(name string, all []map[string]any, p params) map[string]any {
	total := len(all)
	from, to := 0, total
	if p.Limits != nil && p.Limits.End > 0 {
		from, to = min(p.Limits.Start, total), min(p.Limits.End, total)
	}
	return map[string]any{name: all[from:to], "limits": map[string]any{"start": from, "end": to, "total": total}}
}

// matches compares without case, as SQL's LIKE does.
func (f filter) matches(dir, name, title string) bool {
	is := func(f filter) bool { return f.matches(dir, name, title) }
	switch {
	case len(f.And) > 0:
		return !slices.ContainsFunc(f.And, func(f filter) bool { return !is(f) })
	case len(f.Or) > 0:
		return slices.ContainsFunc(f.Or, is)
	}
	text, value := strings.ToLower(dir), strings.ToLower(f.Value)
	switch f.Field {
	case "filename":
		text = strings.ToLower(name)
	case "title":
		text = strings.ToLower(title)
	}
	switch f.Operator {
	case "is":
		return text == value
	case "startswith":
		return strings.HasPrefix(text, value)
	default:
		return strings.Contains(text, value)
	}
}
