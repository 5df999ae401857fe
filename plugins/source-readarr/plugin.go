// Package readarr decodes the webhooks of Readarr, and reads what it has through
// its API.
package readarr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "readarr", Version: "0.1.0", Offline: true, Features: []sdk.Feature{sdk.FeatureSnapshot, sdk.FeatureFolders},
		Summary: "Decodes the webhooks of Readarr, and reads what it has.",
		EventTypes: arr.EventTypes(
			arr.Made(sdk.TypeReleaseGrabbed, "Grab"),
			arr.Made(sdk.TypeMediaImported, "Download"),
			arr.Made(sdk.TypeMediaUpgraded, "Download"),
			arr.Made(sdk.TypeFileRenamed, "Rename"),
			arr.Made(sdk.TypeFileRetagged, "Retag"),
			arr.Made(sdk.TypeFileDeleted, "BookFileDelete"),
			arr.Made(sdk.TypeFileDeletedForUpgrade, "BookFileDelete"),
			arr.Made(sdk.TypeMediaAdded, "AuthorAdded"),
			arr.Made(sdk.TypeMediaDeleted, "AuthorDelete", "BookDelete"),
		),
	}
}

// readarr decodes without the API. Of the powers it has two.
type readarr struct {
	decoder

	powers *api.Powers
}

// Snapshot implements sdk.Snapshotter.
func (s readarr) Snapshot(ctx context.Context, q sdk.SnapshotQuery) (sdk.SnapshotPage, error) {
	return s.powers.Snapshot(ctx, q)
}

// Folders implements sdk.FolderLister.
func (s readarr) Folders(ctx context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	return s.powers.Folders(ctx, q)
}

func newSource(_ context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
	app := api.App{Name: arr.Readarr, API: "v1", Stock: newStock}
	return readarr{decoder{applicationURL: c.ApplicationURL}, api.New(env, c, app)}, nil
}
