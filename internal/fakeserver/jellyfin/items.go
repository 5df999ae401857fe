package jellyfin

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

// getItems answers a query as the server does for an API key, of the parameters that
// programs use to look for files. Jellyfin knows no path, Emby does.
func (s *Server) getItems(w http.ResponseWriter, r *http.Request) {
	query := parameters(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*item
	for _, it := range s.items {
		if s.matches(it, query) {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b *item) int {
		if strings.Contains(query["sortby"], "DateCreated") {
			if c := b.created.Compare(a.created); c != 0 {
				if strings.HasPrefix(query["sortorder"], "Desc") {
					return c
				}
				return -c
			}
		}
		return cmp.Compare(a.path, b.path)
	})
	total := len(found)
	start, _ := strconv.Atoi(query["startindex"])
	start = min(max(start, 0), total)
	found = found[start:]
	if limit, err := strconv.Atoi(query["limit"]); err == nil {
		found = found[:min(limit, len(found))]
	}
	s.stats.Shown += len(found)
	s.stats.LargestPage = max(s.stats.LargestPage, len(found))
	fields := strings.Split(query["fields"], ",")
	shown := make([]map[string]any, 0, len(found))
	for _, it := range found {
		shown = append(shown, it.show(fields, s.settings.Emby))
	}
	writeJSON(w, map[string]any{"Items": shown, "TotalRecordCount": total, "StartIndex": start})
}

func (s *Server) matches(it *item, query map[string]string) bool {
	list := func(key string) []string {
		if query[key] == "" {
			return nil
		}
		return strings.Split(query[key], ",")
	}
	recursive := query["recursive"] == "true"
	if parent := query["parentid"]; parent != "" && !s.child(it, parent, recursive) {
		return false
	}
	if types := list("includeitemtypes"); types != nil && !slices.Contains(types, it.Type) {
		return false
	}
	if years := list("years"); years != nil && !slices.Contains(years, strconv.Itoa(it.year)) {
		return false
	}
	if ids := list("ids"); ids != nil && !slices.Contains(ids, it.id) {
		return false
	}
	if term := query["searchterm"]; term != "" && !strings.Contains(clean(it.Name), clean(term)) {
		return false
	}
	if !s.settings.Emby {
		return true
	}
	if path := query["path"]; path != "" && path != it.path && !slices.ContainsFunc(it.sources, func(e fakeserver.Entry) bool { return e.Path == path }) {
		return false
	}
	if ids := list("anyprovideridequals"); ids != nil && !slices.ContainsFunc(ids, func(want string) bool {
		service, id, _ := strings.Cut(want, ".")
		return it.ids[strings.ToLower(service)] == id
	}) {
		return false
	}
	return true
}

// child reports whether an item is in a library or below another item.
func (s *Server) child(it *item, parent string, recursive bool) bool {
	for _, l := range s.libraries {
		if l.id == parent {
			return slices.Contains(l.Locations, it.location) && (recursive || it.parent == nil)
		}
	}
	if !recursive {
		return it.parent != nil && it.parent.id == parent
	}
	return it.below(parent)
}

// clean is the form in which names are searched: letters and digits.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:;,.!?'"-&()[]`, r) {
			return ' '
		}
		return r
	}, strings.ToLower(name))
	return strings.Join(strings.Fields(name), " ")
}

// show is an item with the fields that were asked for. Emby does not tell how many versions
// there are.
func (it *item) show(fields []string, emby bool) map[string]any {
	shown := map[string]any{"Id": it.id, "Name": it.Name, "Type": it.Type, "ServerId": "4f2a8a5c6d7e4b1e9c3f0a1b2c3d4e5f"}
	if it.year > 0 {
		shown["ProductionYear"] = it.year
	}
	if it.Type == "Episode" {
		shown["ParentIndexNumber"], shown["IndexNumber"] = it.season, it.number
	}
	for p := it.parent; p != nil; p = p.parent {
		switch p.Type {
		case "Series":
			shown["SeriesId"], shown["SeriesName"] = p.id, p.Name
		case "Season":
			shown["SeasonId"] = p.id
		}
	}
	if slices.Contains(fields, "Path") {
		shown["Path"] = it.path
	}
	if slices.Contains(fields, "DateCreated") {
		shown["DateCreated"] = it.created.UTC().Format(time.RFC3339Nano)
	}
	if slices.Contains(fields, "ProviderIds") {
		ids := map[string]string{}
		for service, id := range it.ids {
			ids[strings.ToUpper(service[:1])+service[1:]] = id
		}
		shown["ProviderIds"] = ids
	}
	if slices.Contains(fields, "MediaSourceCount") && len(it.sources) > 1 && !emby {
		shown["MediaSourceCount"] = len(it.sources)
	}
	if slices.Contains(fields, "MediaSources") && it.sources != nil {
		sources := []map[string]any{}
		for _, file := range it.sources {
			sources = append(sources, map[string]any{"Id": it.id, "Path": file.Path, "Protocol": "File", "Size": file.Size})
		}
		shown["MediaSources"] = sources
	}
	return shown
}
