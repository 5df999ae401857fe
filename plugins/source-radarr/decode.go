package radarr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/sdk"
)

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ applicationURL string }

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var p movie.Payload
	if err := arr.Unmarshal(r.Body, &p); err != nil {
		return sdk.Event{}, err
	}
	return p.Decode(arr.Radarr, r, d.applicationURL)
}
