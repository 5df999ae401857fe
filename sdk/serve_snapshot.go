package sdk

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

type snapshotServer struct {
	pluginv1.UnimplementedSnapshotServiceServer
	source *sourceServer
}

// ListItems implements SnapshotService.
func (s *snapshotServer) ListItems(ctx context.Context, req *pluginv1.ListItemsRequest) (*pluginv1.ListItemsResponse, error) {
	resp := &pluginv1.ListItemsResponse{}
	err := power(ctx, &s.source.server, req.GetInstance(), "Snapshot", func(in *instance[Source], sn Snapshotter) error {
		page, err := sn.Snapshot(ctx, SnapshotQuery{Cursor: req.GetCursor(), Limit: int(req.GetLimit())})
		if err != nil {
			return in.said(ctx, err)
		}
		resp.Cursor, resp.More, resp.Total = page.Cursor, page.More, count(page.Total)
		for _, item := range page.Items {
			data, err := in.item(item)
			if err != nil {
				return err
			}
			resp.Items = append(resp.Items, &pluginv1.Item{
				Key: validText(item.Key), Parent: validText(item.Parent), Event: data, GoneFingerprints: item.GoneFingerprints,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// item writes the event of an item. Its id and its time are the host's to give: with them,
// no two readings would be equal.
func (in *instance[T]) item(item Item) ([]byte, error) {
	if item.Key == "" {
		return nil, status.Error(codes.Internal, "the item has no key")
	}
	return in.event(item.Event, "", OriginSnapshot, time.Unix(0, 0))
}
