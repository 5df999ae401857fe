package prowlarr

import (
	"cmp"
	"context"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// payload is a webhook of Prowlarr, which knows releases and no titles.
//
// Prowlarr/Prowlarr, src/NzbDrone.Core/Notifications/Webhook: WebhookBase.cs at
// a86aa4c5d3315a6cea59bd23d3dac9fca539bec1, WebhookEventType.cs at
// 27670b8c3189608172a9e5b822a899cccad1dc76, WebhookGrabPayload.cs and
// WebhookRelease.cs at 4c1521c1ec0b1476a0313a3dc25f01345a3856c4.
type payload struct {
	arr.Payload

	// Trigger is api when an application grabbed the release through Prowlarr, manual
	// when a person did in Prowlarr itself.
	Trigger string
	// Source is the application by its user agent, Other for a browser; Host is where
	// it runs.
	Source string
	Host   string
}

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ applicationURL string }

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var p payload
	if err := arr.Unmarshal(r.Body, &p); err != nil {
		return sdk.Event{}, err
	}
	e, err := p.Event(arr.Prowlarr, r, d.applicationURL)
	if err != nil {
		return sdk.Event{}, err
	}
	switch {
	case p.System(&e, arr.Prowlarr):
	case strings.EqualFold(p.EventType, "Grab"):
		p.grab(&e)
	default:
		p.Unknown(&e, arr.Prowlarr, arr.OneLine(p.Release.ReleaseTitle))
	}
	return e, nil
}

// grab is also sent for a release that Prowlarr could not fetch, which it does not say.
func (p *payload) grab(e *sdk.Event) {
	e.Title = cmp.Or(arr.OneLine(p.Release.ReleaseTitle), "Unknown release")
	e.URL = arr.Page(e.URL, "history")
	// Two applications may grab the same release.
	p.Grabbed(e, p.Release.Indexer, p.Source, p.Host)
	if by := p.by(); by != "" {
		e.Summary = by + " grabbed " + strings.TrimPrefix(e.Summary, "Grabbed ")
	}
}

// by is the application that grabbed a release, or empty for a person.
func (p *payload) by() string {
	if source := arr.OneLine(p.Source); strings.EqualFold(p.Trigger, "api") && source != "Other" {
		return source
	}
	return ""
}
