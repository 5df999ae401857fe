package navidrome

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// navidrome asks a Navidrome: it scans by the Subsonic API, and finds out where files are by
// the API of the web pages.
type navidrome struct {
	http     *sdk.HTTP
	base     string
	username string
	password sdk.Secret

	mu    sync.Mutex
	token string
	// blocked is until when the API of the web pages is not asked for.
	blocked time.Time
	// asked says that a scan is to be looked at, and before when the one before it ended.
	asked  bool
	before time.Time
}

func newServer(env sdk.Env, c config) *navidrome {
	return &navidrome{http: env.HTTP, base: c.Base(), username: c.Username, password: c.Password}
}

// Check logs in. Only administrators may scan.
func (n *navidrome) Check(ctx context.Context) (string, error) {
	var got struct {
		ServerVersion string
		User          struct{ AdminRole bool }
	}
	if err := n.rest(ctx, "getUser", url.Values{"username": {n.username}}, &got); err != nil {
		return "", err
	}
	if !got.User.AdminRole {
		return "", sdk.Misconfigured(fmt.Errorf("%s is no administrator of Navidrome: nobody else may scan", n.username))
	}
	return "Navidrome " + got.ServerVersion, nil
}

// kinds are those of what Lidarr tells.
func kinds() []string { return []string{"artist", "album"} }

// everything stands for all libraries where nobody tells which folders they have: any path
// is in it.
func everything() mediaserver.Library {
	return mediaserver.Library{Name: "everything", Kinds: kinds(), Roots: []string{"/"}}
}

// Libraries returns the libraries with their folders, or everything.
func (n *navidrome) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	var all []struct {
		ID         int
		Name, Path string
	}
	err := n.pages(ctx, "library", nil, &all)
	if errors.Is(err, errNoPages) {
		// This fails with a better error if the password is wrong.
		return []mediaserver.Library{everything()}, n.rest(ctx, "ping", nil, nil)
	}
	if err != nil {
		return nil, err
	}
	var libs []mediaserver.Library
	for _, l := range all {
		libs = append(libs, mediaserver.Library{ID: strconv.Itoa(l.ID), Name: l.Name, Kinds: kinds(), Roots: []string{l.Path}})
	}
	return libs, nil
}

// Scan asks for a quick scan of the folder. A scan that runs already would make it nothing,
// of which nobody is told: ErrAlreadyScanning in scanner/controller.go is only logged.
// Versions before 0.59 know no folders and scan everything.
func (n *navidrome) Scan(ctx context.Context, scan mediaserver.Scan) error {
	now, err := n.status(ctx)
	if err != nil {
		return err
	}
	if now.Scanning {
		return mediaserver.ErrBusy
	}
	if err := n.rest(ctx, "startScan", url.Values{"target": targets(scan)}, nil); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked, n.before = true, now.LastScan
	return nil
}

// targets are the folders to scan, in their library. One that is gone is named itself: that
// is how Navidrome learns it, without all that lies beside.
func targets(scan mediaserver.Scan) []string {
	if scan.Library.ID == "" {
		return nil
	}
	root := scan.Library.Roots[0]
	if slices.ContainsFunc(scan.Changes, func(c mediaserver.Change) bool { return !c.Gone || !c.Folder }) || len(scan.Changes) == 0 {
		return []string{scan.Library.ID + ":" + relative(scan.Folder, root)}
	}
	var all []string
	for _, c := range scan.Changes {
		all = append(all, scan.Library.ID+":"+relative(c.Path, root))
	}
	return all
}

// Busy reports whether any scan runs. It returns the error of the last scan that was asked
// for, once.
func (n *navidrome) Busy(ctx context.Context, _ mediaserver.Library) (bool, error) {
	now, err := n.status(ctx)
	if err != nil || now.Scanning {
		return now.Scanning, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := n.asked
	n.asked = false
	if asked && now.Error != "" {
		return false, fmt.Errorf("the scan failed, as Navidrome says: %s", now.Error)
	}
	return false, nil
}

// FindTitle finds an artist by the MusicBrainz id, and returns the first folder of the path
// of one of its songs.
func (n *navidrome) FindTitle(ctx context.Context, l mediaserver.Library, t sdk.FolderTitle) (string, error) {
	id := t.IDs["musicbrainz"]
	if id == "" || l.ID == "" {
		return "", nil
	}
	var got struct {
		SearchResult3 struct{ Artist []struct{ ID string } }
	}
	if err := n.rest(ctx, "search3", url.Values{"query": {id}, "artistCount": {"1"}, "albumCount": {"0"}, "songCount": {"0"}}, &got); err != nil {
		return "", err
	}
	folder := ""
	for _, artist := range got.SearchResult3.Artist {
		var some []song
		query := url.Values{"artists_id": {artist.ID}, "library_id": {l.ID}, "missing": {"false"}, "_start": {"0"}, "_end": {"1"}}
		if err := n.pages(ctx, "song", query, &some); err != nil {
			return "", err
		}
		for _, s := range some {
			if first, _, below := strings.Cut(relative(s.at(l.Roots[0]), l.Roots[0]), "/"); below {
				folder = pathmap.Join(l.Roots[0], first)
			}
		}
	}
	return folder, nil
}

// at is the song's full path.
func (s song) at(root string) string {
	switch {
	case pathmap.Absolute(s.Path):
		return s.Path
	case s.LibraryPath != "":
		return pathmap.Join(s.LibraryPath, s.Path)
	default:
		return pathmap.Join(root, s.Path)
	}
}
