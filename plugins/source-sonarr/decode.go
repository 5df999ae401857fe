package sonarr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

// importPair says which of Sonarr's two reports of an import are wanted. Any other
// value is both.
type importPair string

const (
	pairFiles    importPair = "files"
	pairComplete importPair = "complete"
)

// unwanted are the flags that Sonarr's connection does without: with both kinds of
// reports it would tell most imports twice.
func (p importPair) unwanted() []string {
	if p == pairComplete {
		return []string{"onDownload", "onUpgrade"}
	}
	return []string{"onImportComplete"}
}

// reader reads the history so that it tells what the connection's webhooks told.
func (p importPair) reader() func(api.Library) api.Reader {
	if p == pairComplete {
		return series.NewCompleteReader
	}
	return series.NewReader
}

// decoder is the source: pure, and safe for concurrent use.
type decoder struct {
	applicationURL string
	importPair     importPair
}

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var p series.Payload
	if err := arr.Unmarshal(r.Body, &p); err != nil {
		return sdk.Event{}, err
	}
	e, err := p.Decode(arr.Sonarr, r, d.applicationURL)
	if err != nil {
		return sdk.Event{}, err
	}
	switch complete := e.Type == sdk.TypeImportCompleted; {
	case complete && d.importPair == pairFiles:
		return sdk.Event{}, sdk.Skip("the download is complete, and import_pair is files")
	case (e.Type == sdk.TypeMediaImported || e.Type == sdk.TypeMediaUpgraded) && d.importPair == pairComplete:
		return sdk.Event{}, sdk.Skip("one file was imported, and import_pair is complete")
	}
	return e, nil
}
