// Package whisparr decodes the webhooks of Whisparr, and manages and completes
// them through its API.
package whisparr

import (
	"context"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "whisparr", Version: "0.1.0", Offline: true, Features: api.Features(),
		Summary: "Decodes the webhooks of Whisparr 2 and 3, registers them, catches up on missed ones and adds details.",
		EventTypes: arr.EventTypes(
			arr.Made(sdk.TypeReleaseGrabbed, "Grab"),
			arr.Made(sdk.TypeMediaImported, "Download"),
			arr.Made(sdk.TypeMediaUpgraded, "Download"),
			arr.Made(sdk.TypeImportCompleted, "Download"),
			arr.Made(sdk.TypeFileRenamed, "Rename"),
			arr.Made(sdk.TypeFileDeleted, "EpisodeFileDelete", "MovieFileDelete"),
			arr.Made(sdk.TypeFileDeletedForUpgrade, "EpisodeFileDelete", "MovieFileDelete"),
			arr.Made(sdk.TypeMediaAdded, "SeriesAdd", "MovieAdded"),
			arr.Made(sdk.TypeMediaDeleted, "SeriesDelete", "MovieDelete"),
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
	app := api.App{Name: arr.Whisparr, API: "v3", Reader: newReader, Stock: newStock}
	return source{decoder{applicationURL: c.ApplicationURL}, api.New(env, c, app)}, nil
}

// isV2 tells version 2, whose titles are series, from version 3, where they are movies.
func isV2(l api.Library) bool { return strings.HasPrefix(l.Status.Version, "2.") }

func newReader(l api.Library) api.Reader {
	if isV2(l) {
		return series.NewReader(l)
	}
	return movie.NewReader(l)
}

func newStock(l api.Library) api.Stock {
	if isV2(l) {
		return series.NewStock(l)
	}
	return movie.NewStock(l)
}
