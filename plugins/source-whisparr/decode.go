package whisparr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ applicationURL string }

// Decode implements sdk.Source. Version 2 sends what Sonarr sends, with sites as
// series; version 3 sends what Radarr sends, with scenes as movies. What concerns no
// title is the same in both.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var v2 series.Payload
	if err := arr.Unmarshal(r.Body, &v2); err != nil {
		return sdk.Event{}, err
	}
	if !v2.Movie {
		return v2.Decode(arr.Whisparr, r, d.applicationURL)
	}
	var v3 movie.Payload
	if err := arr.Unmarshal(r.Body, &v3); err != nil {
		return sdk.Event{}, err
	}
	return v3.Decode(arr.Whisparr, r, d.applicationURL)
}
