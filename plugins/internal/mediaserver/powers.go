package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// Features are the powers of every plugin that is built on Target.
func Features() []sdk.Feature {
	return []sdk.Feature{sdk.FeatureVerify, sdk.FeatureGroup, sdk.FeatureTest, sdk.FeatureFolders, sdk.FeatureOptions}
}

// Defaults are what such a plugin proposes. With a concurrency of more than one, others go
// on while one delivery waits for a library to be idle.
func Defaults(concurrency int) sdk.Defaults {
	return sdk.Defaults{
		Concurrency: concurrency,
		Group:       sdk.GroupDefaults{On: true, By: "folder", Wait: 30 * time.Second, MaxWait: 5 * time.Minute, Max: 1000},
		// What is deleted for an upgrade must not be scanned before the new file is there. The
		// delivery of the new file tells of the old one, too.
		FoldUpgrades: true,
	}
}

// Test logs in and looks at the libraries, their folders and the anchors. Nothing is
// scanned.
func (t *Target) Test(ctx context.Context, _ sdk.Delivery) (sdk.Receipt, error) {
	return t.answer(t.test(ctx))
}

func (t *Target) test(ctx context.Context) (sdk.Receipt, error) {
	about, err := t.server.Check(ctx)
	if err != nil {
		return sdk.Receipt{}, err
	}
	t.cache.drop()
	libs, err := t.libraries(ctx, true)
	if err != nil {
		return sdk.Receipt{}, err
	}
	if len(libs) == 0 {
		return sdk.Receipt{}, sdk.Misconfigured(fmt.Errorf("%s has no libraries: add one", about))
	}
	receipt := sdk.Receipt{Status: http.StatusOK, Excerpt: about + "; libraries: " + listLibraries(libs)}
	var warnings []string
	for _, f := range t.folders(ctx, libs) {
		if f.Problem != "" {
			warnings = append(warnings, fmt.Sprintf("%s of the library %q: %s", f.Path, f.Library, f.Problem))
		}
	}
	s := t.look()
	for _, anchor := range t.config.Anchors {
		seen, err := s.has(ctx, anchor)
		if err != nil {
			return receipt, err
		}
		if !seen {
			return receipt, sdk.Misconfigured(fmt.Errorf("%s does not see the anchor %s: mount its disk, or change anchors", t.options.Name, anchor))
		}
	}
	receipt.Fallback = strings.Join(warnings, "; ")
	return receipt, nil
}

// Folders returns the folders of the libraries, and those titles that are found by their
// ids.
func (t *Target) Folders(ctx context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	libs, err := t.libraries(ctx, true)
	if err != nil {
		return sdk.Folders{}, err
	}
	found := sdk.Folders{Roots: t.folders(ctx, libs), Map: t.paths.Pairs()}
	finder, ok := t.server.(TitleFinder)
	if !ok {
		return found, nil
	}
	for _, title := range q.Titles {
		for _, l := range libs {
			if !holds(l, title.Kind) {
				continue
			}
			path, err := finder.FindTitle(ctx, l, title)
			if err != nil && !isStale(err) {
				return sdk.Folders{}, fmt.Errorf("look up %s in %s: %w", title.Title, t.options.Name, err)
			}
			if path != "" {
				// It may be in others too, as in one for each quality.
				title.Path = path
				found.Titles = append(found.Titles, title)
			}
		}
	}
	return found, nil
}

// folders are the roots of the libraries, with what is wrong with them.
func (t *Target) folders(ctx context.Context, libs []Library) []sdk.Folder {
	s := t.look()
	var all []sdk.Folder
	for _, l := range libs {
		kind := ""
		if len(l.Kinds) > 0 {
			kind = l.Kinds[0]
		}
		for _, root := range l.Roots {
			f := sdk.Folder{Path: root, Library: l.Name, Kind: kind}
			if !s.blind() {
				in, err := s.list(ctx, root)
				switch {
				case errors.Is(err, fs.ErrPermission):
					f.Problem = "not accessible"
				case err != nil:
					f.Problem = "not readable: " + err.Error()
				case !in.exists:
					f.Problem = "not seen by the server"
				case len(in.in) == 0:
					f.Problem = "empty"
				}
			}
			all = append(all, f)
		}
	}
	return all
}
