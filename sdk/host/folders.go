package host

import (
	"context"
	"fmt"
	"math"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// What an answer about folders may have.
const (
	maxFolders      = 10_000
	maxFolderTitles = 10_000
	maxPath         = 4 << 10
)

// Folders asks an instance, of a source or of a target, where files are kept. The error
// matches ErrUnsupported for a plugin without sdk.FeatureFolders.
func (c *Client) Folders(ctx context.Context, instance string, q sdk.FoldersQuery) (sdk.Folders, error) {
	req := &pluginv1.ListFoldersRequest{Instance: instance, Sample: uint32(max(0, min(q.Sample, maxFolderTitles)))}
	for _, t := range q.Titles {
		req.Titles = append(req.Titles, &pluginv1.FolderTitle{
			Kind: valid(t.Kind), Title: valid(t.Title), Year: uint32(max(0, min(t.Year, math.MaxInt32))), Ids: validMap(t.IDs), Path: valid(t.Path),
		})
	}
	resp, err := c.folders.ListFolders(ctx, req)
	if err != nil {
		return sdk.Folders{}, fmt.Errorf("list folders: %w", supported(err))
	}
	var folders sdk.Folders
	for _, r := range first(resp.GetRoots(), maxFolders) {
		folders.Roots = append(folders.Roots, sdk.Folder{
			Path: text(r.GetPath(), maxPath), Library: line(r.GetLibrary(), maxMessage), Kind: line(r.GetKind(), maxName),
			FreeBytes: int64(min(r.GetFreeBytes(), math.MaxInt64)), Problem: line(r.GetProblem(), maxMessage),
		})
	}
	for _, t := range first(resp.GetTitles(), maxFolderTitles) {
		folders.Titles = append(folders.Titles, sdk.FolderTitle{
			Kind: line(t.GetKind(), maxName), Title: line(t.GetTitle(), maxMessage), Year: count(t.GetYear()), IDs: t.GetIds(), Path: text(t.GetPath(), maxPath),
		})
	}
	for _, p := range first(resp.GetMap(), maxFolders) {
		folders.Map = append(folders.Map, pathmap.Pair{
			From: text(p.GetFrom(), maxPath), To: text(p.GetTo(), maxPath), Source: line(p.GetSource(), maxName),
		})
	}
	return folders, nil
}
