package sdk

import (
	"context"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// folderServer serves the folders of sources or targets.
type folderServer[T any] struct {
	pluginv1.UnimplementedFolderServiceServer
	server *server[T]
}

// ListFolders implements FolderService.
func (s *folderServer[T]) ListFolders(ctx context.Context, req *pluginv1.ListFoldersRequest) (*pluginv1.ListFoldersResponse, error) {
	resp := &pluginv1.ListFoldersResponse{}
	err := power(ctx, s.server, req.GetInstance(), "Folders", func(in *instance[T], l FolderLister) error {
		q := FoldersQuery{Sample: int(req.GetSample())}
		for _, t := range req.GetTitles() {
			q.Titles = append(q.Titles, FolderTitle{Kind: t.GetKind(), Title: t.GetTitle(), Year: int(t.GetYear()), IDs: t.GetIds(), Path: t.GetPath()})
		}
		folders, err := l.Folders(ctx, q)
		if err != nil {
			return in.said(ctx, err)
		}
		for _, r := range folders.Roots {
			resp.Roots = append(resp.Roots, &pluginv1.Folder{
				Path: validText(r.Path), Library: validText(r.Library), Kind: validText(r.Kind), FreeBytes: uint64(max(r.FreeBytes, 0)), Problem: in.redactor.line(r.Problem),
			})
		}
		for _, t := range folders.Titles {
			resp.Titles = append(resp.Titles, toFolderTitle(t))
		}
		for _, p := range folders.Map {
			resp.Map = append(resp.Map, &pluginv1.PathPair{From: validText(p.From), To: validText(p.To), Source: validText(p.Source)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func toFolderTitle(t FolderTitle) *pluginv1.FolderTitle {
	ids := make(map[string]string, len(t.IDs))
	for service, id := range t.IDs {
		ids[validText(service)] = validText(id)
	}
	return &pluginv1.FolderTitle{Kind: validText(t.Kind), Title: validText(t.Title), Year: count(t.Year), Ids: ids, Path: validText(t.Path)}
}
