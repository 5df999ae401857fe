// Package sonarr decodes the webhooks of Sonarr, and manages and completes them
// through its API.
package sonarr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	api.Config

	ImportPair importPair `json:"import_pair" hookarr:"default=both,enum=both|files|complete" doc:"Which events to make when Sonarr reports an import by file and again when the download is complete. files: one event per file; complete: one per download, for which On Import Complete must be ticked in Sonarr; both: all of them."`
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "sonarr", Version: "0.1.0", Offline: true, Features: api.Features(),
		Summary: "Decodes the webhooks of Sonarr, registers them, catches up on missed ones and adds details.",
		EventTypes: arr.EventTypes(
			arr.Made(sdk.TypeReleaseGrabbed, "Grab"),
			arr.Made(sdk.TypeMediaImported, "Download"),
			arr.Made(sdk.TypeMediaUpgraded, "Download"),
			arr.Made(sdk.TypeImportCompleted, "Download"),
			arr.Made(sdk.TypeFileRenamed, "Rename"),
			arr.Made(sdk.TypeFileDeleted, "EpisodeFileDelete"),
			arr.Made(sdk.TypeFileDeletedForUpgrade, "EpisodeFileDelete"),
			arr.Made(sdk.TypeMediaAdded, "SeriesAdd"),
			arr.Made(sdk.TypeMediaDeleted, "SeriesDelete"),
			arr.Made(sdk.TypeManualInteractionRequired, "ManualInteractionRequired"),
		),
	}
}

// source decodes without the API, and does the rest with it.
type source struct {
	decoder
	*api.Powers
}

func newSource(_ context.Context, env sdk.Env, c config) (sdk.Source, error) {
	app := api.App{
		Name: arr.Sonarr, API: "v3", Unwanted: c.ImportPair.unwanted(), Reader: c.ImportPair.reader(), Stock: series.NewStock,
	}
	return source{decoder{applicationURL: c.ApplicationURL, importPair: c.ImportPair}, api.New(env, c.Config, app)}, nil
}
