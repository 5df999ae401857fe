package audiobookshelf

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// folders returns the folders in a folder. One that does not exist is refused with 400.
func (a *audiobookshelf) folders(ctx context.Context, at string) ([]string, error) {
	var got struct{ Directories []struct{ Dirname string } }
	err := a.get(ctx, "/api/filesystem", url.Values{"path": {at}, "level": {"0"}}, &got)
	if mediaserver.StatusOf(err) == http.StatusBadRequest {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	var names []string
	for _, d := range got.Directories {
		names = append(names, d.Dirname)
	}
	return names, err
}

func (a *audiobookshelf) seesFolder(ctx context.Context, at string) (bool, error) {
	_, err := a.folders(ctx, at)
	if mediaserver.StatusOf(err) == http.StatusBadRequest {
		return false, nil
	}
	return err == nil, err
}

// List returns the folders in a folder; Sees tells of files.
func (a *audiobookshelf) List(ctx context.Context, folder string) ([]string, error) {
	return a.folders(ctx, folder)
}

// Sees asks for one path in a library. Elsewhere, Audiobookshelf tells of folders alone.
//
// Before 2.23 it took the whole path; now it takes the library's folder and the rest. For a
// file that is not there it names a book that is in the same folder, if there is one, and
// says that it exists. Who may not upload is not told, and what cannot be asked is taken to be
// there.
func (a *audiobookshelf) Sees(ctx context.Context, path string) (bool, error) {
	a.mu.Lock()
	root := a.all.Root(path)
	a.mu.Unlock()
	if root == "" || pathmap.Equal(root, path) {
		return a.seesFolder(ctx, path)
	}
	below, _ := pathmap.Within(path, root)
	in := map[string]string{"filepath": path, "folderPath": root, "directory": strings.ReplaceAll(below, `\`, "/")}
	var got struct {
		Exists           bool
		LibraryItemTitle string
	}
	err := a.call(ctx, http.MethodPost, "/api/filesystem/pathexists", in, &got)
	switch mediaserver.StatusOf(err) {
	case http.StatusForbidden, http.StatusNotFound:
		return true, nil
	}
	return got.Exists && got.LibraryItemTitle == "", err
}
