package kodi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// kodi asks a Kodi by its JSON-RPC API.
type kodi struct {
	http         *sdk.HTTP
	base         string
	username     string
	password     sdk.Secret
	whilePlaying bool
	clean        bool

	// asking is held while Kodi is asked whether it scans and then to scan.
	asking sync.Mutex

	mu       sync.Mutex
	spelling spelling
	// music are the folders of the sources of music.
	music []string
}

func newServer(env sdk.Env, c config) *kodi {
	return &kodi{
		http: env.HTTP, base: c.Base(), username: c.Username, password: c.Password,
		whilePlaying: c.WhilePlaying, clean: c.Clean,
	}
}

// Check logs in.
func (k *kodi) Check(ctx context.Context) (string, error) {
	var app struct {
		Name    string
		Version struct{ Major, Minor int }
	}
	if err := k.call(ctx, "Application.GetProperties", map[string]any{"properties": []string{"name", "version"}}, &app); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d.%d", app.Name, app.Version.Major, app.Version.Minor), nil
}

// The media of sources, and of scans.
const (
	video = "video"
	music = "music"
)

// Libraries returns the sources. Which kind of videos one holds, nobody tells.
func (k *kodi) Libraries(ctx context.Context) ([]mediaserver.Library, error) {
	var libs []mediaserver.Library
	var known spelling
	var songs []string
	for media, kinds := range map[string][]string{video: nil, music: {"artist", "album"}} {
		var got struct {
			Sources []struct{ File, Label string }
		}
		if err := k.call(ctx, "Files.GetSources", map[string]any{"media": media}, &got); err != nil {
			return nil, err
		}
		for _, s := range got.Sources {
			l := mediaserver.Library{ID: media + " " + withoutUser(s.File), Name: s.Label, Kinds: kinds}
			for _, folder := range foldersOf(s.File) {
				l.Roots = append(l.Roots, known.learn(folder))
			}
			if media == music {
				songs = append(songs, l.Roots...)
			}
			if len(l.Roots) > 0 {
				libs = append(libs, l)
			}
		}
	}
	slices.SortFunc(libs, func(a, b mediaserver.Library) int { return -strings.Compare(a.ID, b.ID) }) // videos first
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spelling, k.music = known, songs
	return libs, nil
}

func (k *kodi) spelled() spelling {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.spelling
}

func mediaOf(l mediaserver.Library) string { return strings.Fields(l.ID)[0] }

// Scope is the folder of a series, which Kodi knows shows by, and of anything else the
// folder that it is in.
func (k *kodi) Scope(l mediaserver.Library, c mediaserver.Change) string {
	if c.Title.Kind == "series" {
		for _, root := range l.Roots {
			if pathmap.Under(c.Title.Path, root) {
				return c.Title.Path
			}
		}
		return l.Root(c.Path)
	}
	if c.Folder {
		return c.Path
	}
	return pathmap.Dir(c.Path)
}

// Busy reports whether Kodi scans, or cleans.
func (k *kodi) Busy(ctx context.Context, l mediaserver.Library) (bool, error) {
	name := "Library.IsScanningVideo"
	if mediaOf(l) == music {
		name = "Library.IsScanningMusic"
	}
	var got map[string]bool
	err := k.call(ctx, "XBMC.GetInfoBooleans", map[string]any{"booleans": []string{name}}, &got)
	return got[name], err
}

// playing reports whether somebody watches a video.
func (k *kodi) playing(ctx context.Context) (bool, error) {
	var players []struct{ Type string }
	err := k.call(ctx, "Player.GetActivePlayers", nil, &players)
	return slices.ContainsFunc(players, func(p struct{ Type string }) bool { return p.Type == video }), err
}

// Scan asks for a scan of the folder, or for a cleaning where all is gone. To ask Kodi for a
// scan while it scans would end that: UpdateLibrary in
// xbmc/interfaces/builtins/LibraryBuiltins.cpp is a switch.
func (k *kodi) Scan(ctx context.Context, scan mediaserver.Scan) error {
	if !k.whilePlaying {
		watched, err := k.playing(ctx)
		if err != nil {
			return err
		}
		if watched {
			const pause = 2 * time.Minute
			return sdk.Throttled(pause, errors.New("somebody watches a video: Kodi is not told to scan before it ends, unless while_playing is set"))
		}
	}
	k.asking.Lock()
	defer k.asking.Unlock()
	busy, err := k.Busy(ctx, scan.Library)
	if err != nil {
		return err
	}
	if busy {
		return mediaserver.ErrBusy
	}
	came := slices.ContainsFunc(scan.Changes, func(c mediaserver.Change) bool { return !c.Gone })
	gone := slices.ContainsFunc(scan.Changes, func(c mediaserver.Change) bool { return c.Gone })
	// What was scanned for in vain may be there, and what is gone may be what is left.
	if gone && k.clean && (!came || scan.Again%2 == 1) {
		return k.cleaning(ctx, scan)
	}
	folder, err := k.folder(ctx, scan)
	if err != nil {
		return err
	}
	method := "VideoLibrary.Scan"
	if mediaOf(scan.Library) == music {
		method = "AudioLibrary.Scan"
	}
	params := map[string]any{"directory": k.spelled().spell(folder) + separatorOf(folder), "showdialogs": false}
	if err := k.call(ctx, method, params, nil); err != nil || !gone || !k.clean {
		return err
	}
	return k.cleanAfter(ctx, scan)
}

// folder is the one to scan. The scan of a new show alone would take its season's folder for
// the show, so that the whole source is scanned for it: xbmc issue 26169.
func (k *kodi) folder(ctx context.Context, scan mediaserver.Scan) (string, error) {
	root := scan.Library.Root(scan.Folder)
	if mediaOf(scan.Library) == music || pathmap.Equal(root, scan.Folder) || !slices.ContainsFunc(scan.Changes, func(c mediaserver.Change) bool { return c.Title.Kind == "series" }) {
		return scan.Folder, nil
	}
	var got struct{ TVShows []struct{ TVShowID int } }
	at := k.spelled().spell(scan.Folder) + separatorOf(scan.Folder)
	err := k.call(ctx, "VideoLibrary.GetTVShows", map[string]any{"filter": rule("path", "is", at)}, &got)
	if err != nil || len(got.TVShows) > 0 {
		return scan.Folder, err
	}
	return root, nil
}

// cleaning has Kodi look at all that it has of the source, and forget what is gone. It takes
// no smaller folder of shows, and only with the content that the source has
// (GetContentForPath in xbmc/video/VideoDatabase.cpp).
func (k *kodi) cleaning(ctx context.Context, scan mediaserver.Scan) error {
	if mediaOf(scan.Library) == music {
		return k.cleanMusic(ctx)
	}
	content := "movies"
	if scan.Changes[0].Title.Kind == "series" {
		content = "tvshows"
	}
	root := scan.Library.Root(scan.Folder)
	params := map[string]any{"directory": k.spelled().spell(root) + separatorOf(root), "content": content, "showdialogs": false}
	return k.call(ctx, "VideoLibrary.Clean", params, nil)
}

// cleanMusic has Kodi clean all that it has of music, for it does nothing less. So all
// sources have to be there.
func (k *kodi) cleanMusic(ctx context.Context) error {
	k.mu.Lock()
	roots := slices.Clone(k.music)
	k.mu.Unlock()
	for _, root := range roots {
		names, err := k.List(ctx, root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(names) == 0 {
			return sdk.Throttled(time.Minute, fmt.Errorf("there is nothing in Kodi's source %s: is its disk mounted? No music is cleaned until there is", root))
		}
	}
	return k.call(ctx, "AudioLibrary.Clean", map[string]any{"showdialogs": false}, nil)
}

// cleanAfter has Kodi clean when a scan is over soon. A longer one is followed by another
// question for what is left.
func (k *kodi) cleanAfter(ctx context.Context, scan mediaserver.Scan) error {
	const tries, pause = 10, 500 * time.Millisecond
	for range tries {
		busy, err := k.Busy(ctx, scan.Library)
		if err != nil {
			return err
		}
		if !busy {
			return k.cleaning(ctx, scan)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// List returns what is in a folder of a source. Kodi shows others no other folders.
func (k *kodi) List(ctx context.Context, folder string) ([]string, error) {
	known := k.spelled()
	var got struct{ Files []struct{ File string } }
	err := k.call(ctx, "Files.GetDirectory", map[string]any{"directory": known.spell(folder) + separatorOf(folder), "media": "files"}, &got)
	if refuses(err) {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	var names []string
	for _, f := range got.Files {
		names = append(names, pathmap.Base(f.File))
	}
	return names, err
}
