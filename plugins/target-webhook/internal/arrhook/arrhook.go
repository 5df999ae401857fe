// Package arrhook writes events as the webhooks of the Arr applications, for programs
// that know no other form. It goes by the event alone, so that what came from an
// application's history looks like what came by webhook.
//
// The field names and what an application writes for nothing are those of
// Notifications/Webhook in Radarr/Radarr 1b9662d58823ff02b7162282e84e4aed95db0126,
// Sonarr/Sonarr 49df353fa14c453929b79f32144b2c8c86d94b09, Lidarr/Lidarr
// 0501e61565a3527351a82453156caa72214e3c18, Whisparr/Whisparr
// a85a59122bd91cd75718ff4fbe4cf2df3a800687, Whisparr/Whisparr-Eros
// 51a3899ac83cee984c889e053f76de9dcc9bc7ea, and for Readarr and Prowlarr those that their
// source plugins name.
package arrhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// family is what an application's titles are, which decides the form of its webhook.
type family int

const (
	// none is of events about no title, by no Arr application.
	none family = iota
	// movies are Radarr's, and the scenes of Whisparr 3.
	movies
	// shows are Sonarr's series, and the sites of Whisparr 2.
	shows
	artists
	authors
	// releases are Prowlarr's, which knows no titles.
	releases
)

// familyOf goes by the application, and for others by what the event is about.
func familyOf(e *sdk.Event) family {
	switch arr.Named(e.App) {
	case arr.Radarr:
		return movies
	case arr.Sonarr:
		return shows
	case arr.Lidarr:
		return artists
	case arr.Readarr:
		return authors
	case arr.Prowlarr:
		return releases
	case arr.Whisparr:
		if ofSites(e) {
			return shows
		}
		return movies
	}
	kind := ""
	if e.Media != nil {
		kind = e.Media.Kind
	}
	switch {
	case kind == "movie", kind == "scene":
		return movies
	case kind == "series", len(e.Episodes) > 0:
		return shows
	case kind == "artist", len(e.Albums) > 0:
		return artists
	case kind == "author", kind == "book":
		return authors
	default:
		return none
	}
}

// ofSites reports whether an event of Whisparr is one of version 2.
func ofSites(e *sdk.Event) bool {
	return e.Media != nil && e.Media.Kind == "series" || len(e.Episodes) > 0 || e.Media == nil && strings.HasPrefix(e.AppVersion, "2.")
}

// Render returns an event as its application's webhook. An event that no Arr
// application makes has the form of those whose titles are of its kind, its own type
// as eventType where there is no word for it, and its summary as message.
func Render(e sdk.Event) ([]byte, error) {
	f := familyOf(&e)
	h := hook{
		EventType:      eventType(f, &e),
		InstanceName:   cmp.Or(e.Instance, string(arr.Named(e.App)), arr.Capital(e.App), e.Source),
		ApplicationURL: applicationURL(&e),
	}
	h.fill(f, &e)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as the applications write it
	if err := enc.Encode(h); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (h *hook) fill(f family, e *sdk.Event) {
	switch e.Type { //nolint:exhaustive // The others are about titles.
	case sdk.TypeTest:
		h.test(f, e)
		return
	case sdk.TypeAppUpdated:
		h.updated(e)
		return
	}
	switch f {
	case movies:
		h.movies(e)
	case shows:
		h.shows(e)
	case artists:
		h.artists(e)
	case authors:
		h.authors(e)
	case releases, none:
		if e.Release != nil || e.Type == sdk.TypeReleaseGrabbed {
			h.release(e)
		}
		h.download(e)
	}
	h.health(e)
	if arr.Named(e.App) == "" && h.Message == nil {
		h.Message = &e.Summary
	}
}

// UserAgent returns the sender as an application writes it, Radarr/6.0.3.10276, with
// where it runs in parentheses, which is by. It is empty for an event that no Arr
// application makes.
func UserAgent(e sdk.Event, by string) string {
	app := arr.Named(e.App)
	if app == "" {
		return ""
	}
	agent := string(app)
	if version := token(e.AppVersion); version != "" {
		agent += "/" + version
	}
	return agent + " (" + by + ")"
}

// token is s without what a product's version cannot have in a header.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("+-.", r) {
			return r
		}
		return -1
	}, s)
}
