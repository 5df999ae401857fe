package audiobookshelf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

const hint = "copy api_key from Settings, API Keys; it has to be that of an administrator"

// audiobookshelf asks an Audiobookshelf by its API: server/routers/ApiRouter.js of
// advplyr/audiobookshelf.
type audiobookshelf struct {
	http *sdk.HTTP
	base string
	key  sdk.Secret

	mu sync.Mutex
	// all has the roots of every library, as they were read last.
	all mediaserver.Library
}

func newServer(env sdk.Env, c config) *audiobookshelf {
	return &audiobookshelf{http: env.HTTP, base: c.Base(), key: c.APIKey}
}

func (a *audiobookshelf) get(ctx context.Context, at string, query url.Values, into any) error {
	return a.call(ctx, http.MethodGet, at+"?"+query.Encode(), nil, into)
}

// call sends a request. What is not there is mediaserver.ErrStale: the API itself is always
// at the same place.
func (a *audiobookshelf) call(ctx context.Context, method, at string, in, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.base+at, http.NoBody)
	if err != nil {
		return sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	req.Header.Set("Authorization", "Bearer "+a.key.Reveal())
	return mediaserver.JSON(a.http, req, in, into, hint)
}

// Check logs in. Only administrators may scan.
func (a *audiobookshelf) Check(ctx context.Context) (string, error) {
	var status struct{ App, ServerVersion string }
	if err := a.get(ctx, "/status", nil, &status); err != nil {
		return "", err
	}
	if status.App != "audiobookshelf" {
		return "", sdk.Misconfigured(errors.New("the server is no Audiobookshelf: check url"))
	}
	var user struct{ Username, Type string }
	if err := a.get(ctx, "/api/me", nil, &user); err != nil {
		return "", err
	}
	if user.Type != "admin" && user.Type != "root" {
		return "", sdk.Misconfigured(fmt.Errorf("api_key is of %s, who is no administrator of Audiobookshelf: nobody else may scan", user.Username))
	}
	return "Audiobookshelf " + status.ServerVersion, nil
}

// Libraries returns the libraries of books. Podcasts are none of the Arr applications'.
func (a *audiobookshelf) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	var got struct {
		Libraries []struct {
			ID, Name, MediaType string
			Folders             []struct{ FullPath string }
		}
	}
	if err := a.get(ctx, "/api/libraries", nil, &got); err != nil {
		return nil, err
	}
	var libs []mediaserver.Library
	var all mediaserver.Library
	for _, l := range got.Libraries {
		lib := mediaserver.Library{ID: l.ID, Name: l.Name, Kinds: []string{"book", "author"}}
		for _, f := range l.Folders {
			lib.Roots = append(lib.Roots, f.FullPath)
		}
		all.Roots = append(all.Roots, lib.Roots...)
		if l.MediaType == "book" {
			libs = append(libs, lib)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = all
	return libs, nil
}

// Scope is the library's folder: scans have no smaller one.
func (a *audiobookshelf) Scope(l mediaserver.Library, c mediaserver.Change) string {
	return l.Root(c.Path)
}

// Scan asks for a scan of the library. It is answered before it begins, and forgotten if
// one is under way: Busy is asked before. The scan takes all that was in a folder for
// missing that is not there now, so all have to be.
//
// Reports of single files by /api/watcher/update are no better: they are answered 200 also
// where nobody watches.
func (a *audiobookshelf) Scan(ctx context.Context, scan mediaserver.Scan) error {
	for _, root := range scan.Library.Roots {
		seen, err := a.seesFolder(ctx, root)
		if err != nil {
			return err
		}
		if !seen {
			return sdk.Throttled(time.Minute, fmt.Errorf("the folder %s of the library %q is not there for Audiobookshelf: is its disk mounted? Nothing is scanned until it is seen", root, scan.Library.Name))
		}
	}
	return a.call(ctx, http.MethodPost, "/api/libraries/"+url.PathEscape(scan.Library.ID)+"/scan", nil, nil)
}

// Busy reports whether the library is scanned.
func (a *audiobookshelf) Busy(ctx context.Context, l mediaserver.Library) (bool, error) {
	var got struct {
		Tasks []struct {
			Action     string
			IsFinished bool
			Data       struct{ LibraryID string }
		}
	}
	if err := a.get(ctx, "/api/tasks", nil, &got); err != nil {
		return false, err
	}
	for _, t := range got.Tasks {
		if t.Action == "library-scan" && t.Data.LibraryID == l.ID && !t.IsFinished {
			return true, nil
		}
	}
	return false, nil
}
