// Command source-readarr decodes the webhooks of Readarr.
package main

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "readarr", Version: "0.1.0",
		Summary: "Decodes the webhooks of Readarr.",
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

func newSource(_ context.Context, _ sdk.Env, c arr.Config) (sdk.Source, error) {
	return decoder{applicationURL: c.ApplicationURL}, nil
}
