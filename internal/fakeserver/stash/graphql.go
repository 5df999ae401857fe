package stash

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/graph-gophers/graphql-go"
)

// schema is the part of Stash's that is imitated.
const schema = `
type Query {
	version: Version!
	configuration: ConfigResult!
	findJob(input: FindJobInput!): Job
	findFile(id: ID, path: String): BaseFile!
	findScenes(scene_filter: SceneFilterType, filter: FindFilterType): FindScenesResultType!
}
type Mutation {
	metadataScan(input: ScanMetadataInput!): ID!
}
type Version { version: String hash: String! build_time: String! }
scalar Int64
type ConfigResult { general: ConfigGeneralResult! defaults: ConfigDefaultSettingsResult! }
type ConfigDefaultSettingsResult { scan: ScanMetadataOptions }
type ScanMetadataOptions {
	rescan: Boolean! scanGenerateCovers: Boolean! scanGeneratePreviews: Boolean! scanGenerateImagePreviews: Boolean!
	scanGenerateSprites: Boolean! scanGeneratePhashes: Boolean! scanGenerateThumbnails: Boolean! scanGenerateClipPreviews: Boolean!
}
type ConfigGeneralResult { stashes: [StashConfig!]! }
type StashConfig { path: String! excludeVideo: Boolean! excludeImage: Boolean! }
enum JobStatus { READY RUNNING FINISHED STOPPING CANCELLED FAILED }
type Job { id: ID! status: JobStatus! description: String! progress: Float error: String }
input FindJobInput { id: ID! }
input ScanMetadataInput {
	paths: [String!] rescan: Boolean scanGenerateCovers: Boolean scanGeneratePreviews: Boolean scanGenerateImagePreviews: Boolean
	scanGenerateSprites: Boolean scanGeneratePhashes: Boolean scanGenerateThumbnails: Boolean scanGenerateClipPreviews: Boolean
}
enum CriterionModifier { EQUALS NOT_EQUALS INCLUDES EXCLUDES }
input StringCriterionInput { value: String! modifier: CriterionModifier! }
input SceneFilterType { path: StringCriterionInput }
input FindFilterType { q: String page: Int per_page: Int }
type FindScenesResultType { count: Int! scenes: [Scene!]! }
type Scene { id: ID! title: String files: [BaseFile!]! }
type BaseFile { id: ID! path: String! basename: String! size: Int64! }
`

// resolver answers queries. The server's lock is held for as long as one runs.
type resolver struct{ *Server }

// The types of the schema.
type (
	versionResult struct {
		Version         *string
		Hash, BuildTime string
	}
	configResult struct {
		General  struct{ Stashes []stashResult }
		Defaults struct{ Scan *scanOptions }
	}
	scanOptions struct {
		Rescan, ScanGenerateCovers, ScanGeneratePreviews, ScanGenerateImagePreviews                bool
		ScanGenerateSprites, ScanGeneratePhashes, ScanGenerateThumbnails, ScanGenerateClipPreviews bool
	}
	stashResult struct {
		Path                       string
		ExcludeVideo, ExcludeImage bool
	}
	jobResult struct {
		ID          graphql.ID
		Status      string
		Description string
		Progress    *float64
		Error       *string
	}
	fileResult struct {
		ID             graphql.ID
		Path, Basename string
		Size           int64Result
	}
	sceneResult struct {
		ID    graphql.ID
		Title *string
		Files []fileResult
	}
	scenesResult struct {
		Count  int32
		Scenes []sceneResult
	}
	criterion struct {
		Value    string
		Modifier string
	}
	findScenesArgs struct {
		SceneFilter *struct{ Path *criterion }
		Filter      *struct {
			Q             *string
			Page, PerPage *int32
		}
	}
)

// int64Result is a number that may be beyond GraphQL's own, which have 32 bits.
type int64Result int64

// ImplementsGraphQLType names the scalar.
func (int64Result) ImplementsGraphQLType(name string) bool { return name == "Int64" }

// UnmarshalGraphQL reads no value: nothing takes one.
func (*int64Result) UnmarshalGraphQL(any) error { return errors.ErrUnsupported }

func (r *resolver) Version() versionResult {
	return versionResult{Version: &r.config.Version, Hash: "0a1b2c3d", BuildTime: "2026-01-11 07:00:00"}
}

func (r *resolver) Configuration() configResult {
	var c configResult
	for _, p := range r.config.Stashes {
		c.General.Stashes = append(c.General.Stashes, stashResult{Path: p})
	}
	if r.config.Covers {
		c.Defaults.Scan = &scanOptions{ScanGenerateCovers: true}
	}
	return c
}

func (r *resolver) MetadataScan(args struct {
	Input struct {
		Paths *[]string
		Rescan, ScanGenerateCovers, ScanGeneratePreviews, ScanGenerateImagePreviews,
		ScanGenerateSprites, ScanGeneratePhashes, ScanGenerateThumbnails, ScanGenerateClipPreviews *bool
	}
},
) graphql.ID {
	scan := Scan{Covers: args.Input.ScanGenerateCovers != nil && *args.Input.ScanGenerateCovers}
	if args.Input.Paths != nil {
		scan.Paths = *args.Input.Paths
	}
	return graphql.ID(strconv.Itoa(r.scan(scan)))
}

// FindJob remembers the jobs of this run of the server.
func (r *resolver) FindJob(args struct{ Input struct{ ID graphql.ID } }) (*jobResult, error) {
	id, err := strconv.Atoi(string(args.Input.ID))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.jobs, func(j *job) bool { return j.id == id })
	if i < 0 {
		return nil, nil //nolint:nilnil // A job that is not known is null.
	}
	j := r.jobs[i]
	result := &jobResult{ID: args.Input.ID, Status: "READY", Description: "Scanning..."}
	switch {
	case j.done && j.fails != "":
		result.Status, result.Error = "FAILED", &j.fails
	case j.done:
		result.Status = "FINISHED"
	case !j.begin.After(time.Now()):
		result.Status = "RUNNING"
	}
	return result, nil
}

// FindFile refuses what it does not know: its type has no null.
func (r *resolver) FindFile(args struct {
	ID   *graphql.ID
	Path *string
},
) (fileResult, error) {
	for _, c := range r.scenes {
		file := c.file()
		if args.ID != nil && file.ID == *args.ID || args.Path != nil && file.Path == *args.Path {
			return file, nil
		}
	}
	return fileResult{}, errors.New("file not found")
}

func (c Scene) file() fileResult {
	return fileResult{ID: graphql.ID(strconv.Itoa(1000 + c.ID)), Path: c.Path, Basename: c.Path[strings.LastIndex(c.Path, "/")+1:], Size: int64Result(c.size)}
}

// FindScenes pages by 25 unless asked otherwise.
func (r *resolver) FindScenes(args findScenesArgs) scenesResult {
	var found []sceneResult
	for _, c := range r.scenes {
		if args.SceneFilter == nil || args.SceneFilter.Path == nil || args.SceneFilter.Path.matches(c.Path) {
			found = append(found, sceneResult{ID: graphql.ID(strconv.Itoa(c.ID)), Title: &c.Title, Files: []fileResult{c.file()}})
		}
	}
	result := scenesResult{Count: int32(len(found))}
	page, size := 1, 25
	if f := args.Filter; f != nil {
		if f.Page != nil {
			page = int(*f.Page)
		}
		if f.PerPage != nil {
			size = int(*f.PerPage)
		}
	}
	if size < 0 {
		page, size = 1, len(found)
	}
	from := min((page-1)*size, len(found))
	result.Scenes = found[from:min(from+size, len(found))]
	return result
}

// matches is SQL's LIKE, which knows no case. Of several words without quotes one is enough.
func (c criterion) matches(path string) bool {
	path = strings.ToLower(path)
	value := strings.ToLower(c.Value)
	var is bool
	switch c.Modifier {
	case "EQUALS", "NOT_EQUALS":
		is = like(value, path)
	default:
		words := []string{strings.Trim(strings.TrimSpace(value), `"`)}
		if words[0] == strings.TrimSpace(value) {
			words = strings.Fields(value)
		}
		is = slices.ContainsFunc(words, func(word string) bool { return like("%"+word+"%", path) })
	}
	return is == (c.Modifier == "EQUALS" || c.Modifier == "INCLUDES")
}

// like matches a pattern in which % stands for any text and _ for any character.
func like(pattern, s string) bool {
	t := []rune(s)
	// matched[i] says whether the pattern so far matches t[:i].
	matched := make([]bool, len(t)+1)
	matched[0] = true
	for _, r := range pattern {
		next := make([]bool, len(t)+1)
		for i := range next {
			switch {
			case r == '%':
				next[i] = matched[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = matched[i-1] && (r == '_' || r == t[i-1])
			}
		}
		matched = next
	}
	return matched[len(t)]
}
