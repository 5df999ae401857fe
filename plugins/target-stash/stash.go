package stash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// stash asks a Stash by its GraphQL API: graphql/schema of stashapp/stash.
type stash struct {
	http *sdk.HTTP
	base string
	key  sdk.Secret

	mu sync.Mutex
	// jobs are the scans that were asked for and are not known to be over.
	jobs []job
}

// job is one of Stash's, for a library. Stash forgets its jobs when it ends.
type job struct{ id, library string }

func newServer(env sdk.Env, c config) *stash {
	return &stash{http: env.HTTP, base: c.Base(), key: c.APIKey}
}

// answer is what GraphQL makes of a query. Errors come with status 200; those of a query
// that Stash does not understand come with 422.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors refusals        `json:"errors"`
}

type refusals []struct {
	Message string `json:"message"`
}

func (r refusals) String() string {
	var all []string
	for _, e := range r[:min(len(r), 3)] {
		all = append(all, e.Message)
	}
	return strings.Join(all, "; ")
}

// ask runs a query.
func (s *stash) ask(ctx context.Context, query string, variables map[string]any, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/graphql", http.NoBody)
	if err != nil {
		return sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	if s.key != "" {
		req.Header.Set("ApiKey", s.key.Reveal())
	}
	var a answer
	in := map[string]any{"query": query, "variables": variables}
	if err := mediaserver.JSON(s.http, req, in, &a, s.hint()); err != nil {
		return s.notUnderstood(err)
	}
	if len(a.Errors) > 0 {
		return fmt.Errorf("refused by Stash: %s", a.Errors)
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return fmt.Errorf("the answer is not that of Stash: %w", err)
	}
	return nil
}

func (s *stash) hint() string {
	if s.key == "" {
		return "set api_key, from Settings, Security"
	}
	return "copy api_key from Settings, Security; where Stash has no password, leave it out"
}

// notUnderstood explains an error that only another version of Stash gives.
func (s *stash) notUnderstood(err error) error {
	if mediaserver.StatusOf(err) != http.StatusUnprocessableEntity {
		return err
	}
	why := "its API is another one"
	if refused, ok := errors.AsType[*mediaserver.Refusal](err); ok {
		var a answer
		if json.Unmarshal([]byte(refused.Excerpt), &a) == nil && len(a.Errors) > 0 {
			why = a.Errors.String()
		}
	}
	return sdk.Misconfigured(fmt.Errorf("%w: %s: Stash 0.25 or later is needed", err, why))
}

// Check returns the version. It needs the rights that a scan needs.
func (s *stash) Check(ctx context.Context) (string, error) {
	var v struct{ Version struct{ Version string } }
	if err := s.ask(ctx, `{version{version}}`, nil, &v); err != nil {
		return "", err
	}
	return "Stash " + v.Version.Version, nil
}

// Libraries returns the library paths. They have no names but their own. One without videos
// never has scenes.
func (s *stash) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	var c struct {
		Configuration struct {
			General struct {
				Stashes []struct {
					Path         string
					ExcludeVideo bool
				}
			}
		}
	}
	if err := s.ask(ctx, `{configuration{general{stashes{path excludeVideo}}}}`, nil, &c); err != nil {
		return nil, err
	}
	var all []mediaserver.Library
	for _, p := range c.Configuration.General.Stashes {
		if !p.ExcludeVideo {
			all = append(all, mediaserver.Library{ID: p.Path, Name: p.Path, Roots: []string{p.Path}})
		}
	}
	return all, nil
}

// generated are the options of a scan that the person chose as defaults. Forcing a rescan
// is not among them: it reads whole files again.
const generated = `scanGenerateCovers scanGeneratePreviews scanGenerateImagePreviews scanGenerateSprites
	scanGeneratePhashes scanGenerateThumbnails scanGenerateClipPreviews`

// Scan queues a job.
func (s *stash) Scan(ctx context.Context, scan mediaserver.Scan) error {
	var chosen struct {
		Configuration struct {
			Defaults struct{ Scan map[string]bool }
		}
	}
	if err := s.ask(ctx, `{configuration{defaults{scan{`+generated+`}}}}`, nil, &chosen); err != nil {
		return err
	}
	input := map[string]any{"paths": []string{scan.Folder}}
	for option, on := range chosen.Configuration.Defaults.Scan {
		input[option] = on
	}
	var queued struct{ MetadataScan string }
	if err := s.ask(ctx, `mutation($input:ScanMetadataInput!){metadataScan(input:$input)}`, map[string]any{"input": input}, &queued); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, job{id: queued.MetadataScan, library: scan.Library.ID})
	return nil
}

// Busy reports whether a job that was asked for is queued or runs. It returns an error, once,
// for one that failed.
func (s *stash) Busy(ctx context.Context, l mediaserver.Library) (bool, error) {
	s.mu.Lock()
	jobs := slices.DeleteFunc(slices.Clone(s.jobs), func(j job) bool { return j.library != l.ID })
	s.mu.Unlock()
	for _, j := range jobs {
		var found struct {
			FindJob *struct {
				Status, Error string
			}
		}
		if err := s.ask(ctx, `query($id:ID!){findJob(input:{id:$id}){status error}}`, map[string]any{"id": j.id}, &found); err != nil {
			return false, err
		}
		status := "" // of a job that was forgotten
		if found.FindJob != nil {
			status = found.FindJob.Status
		}
		switch status {
		case "READY", "RUNNING", "STOPPING":
			return true, nil
		}
		s.over(j)
		switch status {
		case "FAILED":
			return false, fmt.Errorf("the scan failed, as Stash says: %s", found.FindJob.Error)
		case "CANCELLED":
			return false, errors.New("someone cancelled the scan in Stash")
		}
	}
	return false, nil
}

func (s *stash) over(done job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = slices.DeleteFunc(s.jobs, func(j job) bool { return j == done })
}
