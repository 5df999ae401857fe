package stash

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

const (
	// perQuery bounds the paths that one query asks for.
	perQuery = 40
	// perPath bounds the scenes for one path. More than one are possible: % and _ in a path
	// stand for other characters too, and case is no difference.
	perPath = 25
)

// scene is a scene with its files.
type scene struct {
	ID    string
	Title string
	Files []struct {
		Path string
		Size int64
	}
}

// Find asks for each path by itself, many in a query, so that the size of the library does
// not matter. Of a folder one page of scenes is enough.
func (s *stash) Find(ctx context.Context, q mediaserver.Query) ([]mediaserver.Item, error) {
	var items []mediaserver.Item
	for paths := q.Paths; len(paths) > 0; {
		n := min(len(paths), perQuery)
		var some map[string]struct{ Scenes []scene }
		query, variables := queryOf(paths[:n], q.Title.Path)
		if err := s.ask(ctx, query, variables, &some); err != nil {
			return nil, err
		}
		for _, found := range some {
			for _, c := range found.Scenes {
				items = append(items, s.items(c)...)
			}
		}
		paths = paths[n:]
	}
	return items, nil
}

// queryOf asks for a scene with exactly a path. Of the title's folder it asks for those in
// it, which is more work for Stash. What is in quotes is one word, whatever spaces are in
// it.
func queryOf(paths []string, folder string) (query string, variables map[string]any) {
	variables = map[string]any{}
	var names, fields strings.Builder
	for i, p := range paths {
		modifier := "EQUALS"
		if pathmap.Equal(p, folder) {
			modifier, p = "INCLUDES", `"`+p+separatorOf(p)+`"`
		}
		variables[fmt.Sprintf("p%d", i)] = p
		fmt.Fprintf(&names, "$p%d:String!,", i)
		fmt.Fprintf(&fields, "f%d:findScenes(scene_filter:{path:{value:$p%d,modifier:%s}},filter:{per_page:%d}){scenes{id title files{path size}}} ", i, i, modifier, perPath)
	}
	return "query(" + names.String() + "){" + fields.String() + "}", variables
}

// separatorOf is what a path of Stash's system has between names.
func separatorOf(path string) string {
	if strings.Contains(path, `\`) && !strings.HasPrefix(path, "/") {
		return `\`
	}
	return "/"
}

func (s *stash) items(c scene) []mediaserver.Item {
	var all []mediaserver.Item
	for _, f := range c.Files {
		all = append(all, mediaserver.Item{ID: c.ID, URL: s.base + "/scenes/" + url.PathEscape(c.ID), Path: f.Path, Size: f.Size, Title: c.Title})
	}
	return all
}
