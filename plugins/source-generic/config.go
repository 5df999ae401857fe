package generic

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// config says how to read the bodies of one sender. Its paths have the syntax of
// https://github.com/tidwall/gjson: data.title, items.0.name, items.#.name.
type config struct {
	App string `json:"app" hookarr:"default=generic" doc:"Name of the sender in events, lower case: jellyseerr."`

	Type     string            `json:"type" hookarr:"group=Type" jsonschema:"example=media.added" doc:"Type of every event, such as media.added. Bodies that say what happened need type_path and types in its place."`
	TypePath string            `json:"type_path" hookarr:"group=Type" doc:"Path of what happened, in the sender's words. Paths are GJSON: data.title is title in data, items.0.name the name of the first of items."`
	Types    map[string]string `json:"types" hookarr:"group=Type" doc:"Event types by the words at type_path. Other words make an event of the type unknown."`

	TestPath  string `json:"test_path" hookarr:"advanced" doc:"Path of the word by which the sender marks a test, where type_path does not tell it."`
	TestValue string `json:"test_value" hookarr:"advanced" doc:"That word, in any case."`

	Title        string `json:"title" hookarr:"group=Text" doc:"Title of events whose body has none at title_path."`
	TitlePath    string `json:"title_path" hookarr:"group=Text" doc:"Path of what it happened to, in a few words."`
	SummaryPath  string `json:"summary_path" hookarr:"group=Text" doc:"Path of what happened, as one sentence. Default: the title."`
	InstancePath string `json:"instance_path" hookarr:"group=Text" doc:"Path of the name that the sender gives itself."`
	URLPath      string `json:"url_path" hookarr:"group=Text,title=Link" doc:"Path of the absolute URL of a page about it."`

	FingerprintPaths []string `json:"fingerprint_paths" hookarr:"title=Repetitions" doc:"Paths whose values together are the same only in a repetition of the same event, such as an id of the message. The id of a request is also in what happens to it next: with it, a second failure is taken for the first. None: equal bodies alone are repetitions. For how long depends on the type, unless the source has a dedup.window."`
	CorrelationPath  string   `json:"correlation_path" hookarr:"title=Stories" doc:"Path of an id that the events of one story share, such as a request and its approval."`

	Media media `json:"media" hookarr:"group=Media" doc:"The title concerned; absent unless kind is set."`
}

// media says where in the body the title is.
type media struct {
	Kind         string            `json:"kind" doc:"movie, series, artist or another word."`
	IDPath       string            `json:"id_path" doc:"Path of the sender's id of it."`
	TitlePath    string            `json:"title_path" doc:"Path of its title. Default: the event's title."`
	YearPath     string            `json:"year_path" doc:"Path of its year, or of a date that begins with it."`
	OverviewPath string            `json:"overview_path" doc:"Path of its plot."`
	PosterPath   string            `json:"poster_path" doc:"Path of the absolute URL of a poster."`
	FolderPath   string            `json:"folder_path" doc:"Path of its folder on disk."`
	IDs          map[string]string `json:"ids" doc:"Paths of its ids elsewhere, by service: tmdb, imdb, tvdb, musicbrainz."`
}

// JSONSchemaExtend adds an example: what is required is not enough.
func (config) JSONSchemaExtend(s *jsonschema.Schema) {
	s.Examples = []any{map[string]any{"type": "media.added", "title_path": "data.title"}}
}

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	var problems []error
	add := func(key, message string) {
		if message != "" {
			problems = append(problems, sdk.Problem(key, message))
		}
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(c.App) {
		add("app", "needs a name of a-z, 0-9 and -")
	}
	add("type", c.typeFault())
	if (c.TypePath == "") != (len(c.Types) == 0) {
		add("types", "and type_path need each other")
	}
	for _, word := range slices.Sorted(maps.Keys(c.Types)) {
		add("types."+word, unknownType(c.Types[word]))
	}
	if (c.TestPath == "") != (c.TestValue == "") {
		add("test_value", "and test_path need each other")
	}
	if c.Media.Kind == "" && c.Media.used() {
		add("media.kind", "is required beside other keys of media")
	}
	paths := c.paths()
	for _, key := range slices.Sorted(maps.Keys(paths)) {
		add(key, pathFault(paths[key]))
	}
	return errors.Join(problems...)
}

func (c config) typeFault() string {
	switch {
	case c.Type == "" && c.TypePath == "":
		return "is required, or type_path and types"
	case c.Type != "" && c.TypePath != "":
		return "and type_path exclude each other; remove one"
	case c.Type != "":
		return unknownType(c.Type)
	default:
		return ""
	}
}

// unknownType says that t is no event type, by which no route could match it.
func unknownType(t string) string {
	var known []string
	for _, k := range sdk.Types() {
		if k == sdk.Type(t) {
			return ""
		}
		known = append(known, string(k))
	}
	return "is not an event type; there are " + strings.Join(known, ", ")
}

func (m media) used() bool {
	for key, path := range (config{Media: m}).paths() {
		if strings.HasPrefix(key, "media.") && path != "" {
			return true
		}
	}
	return false
}

// paths are all paths by their keys. One that is not configured is empty.
func (c config) paths() map[string]string {
	paths := map[string]string{
		"type_path": c.TypePath, "test_path": c.TestPath, "title_path": c.TitlePath, "summary_path": c.SummaryPath,
		"instance_path": c.InstancePath, "url_path": c.URLPath, "correlation_path": c.CorrelationPath,
		"media.id_path": c.Media.IDPath, "media.title_path": c.Media.TitlePath, "media.year_path": c.Media.YearPath,
		"media.overview_path": c.Media.OverviewPath, "media.poster_path": c.Media.PosterPath, "media.folder_path": c.Media.FolderPath,
	}
	for i, path := range c.FingerprintPaths {
		paths[fmt.Sprintf("fingerprint_paths[%d]", i)] = path
	}
	for service, path := range c.Media.IDs {
		paths["media.ids."+service] = path
	}
	return paths
}

// pathFault says why a path cannot be meant, or nothing. What is not a path of the
// syntax finds nothing and is no error there.
func pathFault(path string) string {
	switch {
	case path == "":
		return ""
	case path != arr.OneLine(path):
		return "has spaces around it or characters that do not print"
	case strings.HasPrefix(path, "$"):
		return "is in the syntax of JSONPath; write data.title for $.data.title"
	case strings.HasPrefix(path, "/"):
		return "is in the syntax of JSON Pointer; write data.title for /data/title"
	case strings.HasPrefix(path, "."), strings.HasSuffix(path, ".") && !strings.HasSuffix(path, `\.`):
		return "begins or ends with a dot"
	default:
		return ""
	}
}
