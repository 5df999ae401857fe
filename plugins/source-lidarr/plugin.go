// Package lidarr decodes the webhooks of Lidarr, and manages and completes them
// through its API.
package lidarr

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
		Name: "lidarr", Version: "0.1.0", Offline: true, Features: api.Features(),
		Summary: "Decodes the webhooks of Lidarr, registers them, catches up on missed ones and adds details.",
		EventTypes: arr.EventTypes(
			arr.Made(sdk.TypeReleaseGrabbed, "Grab"),
			arr.Made(sdk.TypeMediaImported, "Download"),
			arr.Made(sdk.TypeMediaUpgraded, "Download"),
			arr.Made(sdk.TypeImportFailed, "ImportFailure"),
			arr.Made(sdk.TypeDownloadFailed, "DownloadFailure"),
			arr.Made(sdk.TypeFileRenamed, "Rename"),
			arr.Made(sdk.TypeFileRetagged, "Retag"),
			arr.Made(sdk.TypeMediaAdded, "ArtistAdd"),
			arr.Made(sdk.TypeMediaDeleted, "ArtistDelete", "AlbumDelete"),
			arr.Made(sdk.TypeManualInteractionRequired, "ManualInteractionRequired"),
		),
	}
}

// source decodes without the API, and does the rest with it.
type source struct {
	decoder
	*api.Powers
}

func newSource(_ context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
	app := api.App{Name: arr.Lidarr, API: "v1", Reader: newReader, Stock: newStock}
	return source{decoder{applicationURL: c.ApplicationURL}, api.New(env, c, app)}, nil
}
