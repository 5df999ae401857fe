package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// source decodes the webhooks of one application.
type source struct{ config config }

// Decode turns a webhook into an event. It is pure: the same request gives the same event,
// now and when it is replayed in a month.
func (s *source) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	var b body
	if err := readBody(r.Body, &b); err != nil {
		return sdk.Event{}, sdk.Invalid(err)
	}
	native, title := string(b.EventType), string(b.Movie.Title)
	if cmp.Or(native, title) == "" {
		return sdk.Event{}, sdk.Invalid(errors.New("the body has no eventType and no movie.title"))
	}
	if slices.ContainsFunc(s.config.Ignore, func(word string) bool { return strings.EqualFold(word, native) }) {
		return sdk.Event{}, sdk.Skip("the configuration ignores " + native)
	}
	e := sdk.Event{
		App: "requests", Instance: s.config.Instance,
		Type: typeOf(native), NativeType: native,
		Title: cmp.Or(title, native), Summary: strings.Trim(native+": "+title, ": "),
	}
	// Equal when the same thing is reported again, and for nothing else.
	if id := string(b.DeliveryID); id != "" {
		e.Fingerprint = native + ":" + id
	}
	// Ties a story together, such as a download and its import.
	if id := string(b.DownloadID); id != "" {
		e.CorrelationKey = "downloadId:" + id
	}
	return e, nil
}
