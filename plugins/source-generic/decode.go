package generic

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxBody is twice what the server takes by default.
	maxBody = 32 << 20
	// maxItems is the most items of an array that are written out in a text.
	maxItems = 20
)

// decoder is the source: pure, and safe for concurrent use.
type decoder struct{ config config }

// Decode implements sdk.Source.
func (d decoder) Decode(_ context.Context, r sdk.Request) (sdk.Event, error) {
	data, err := payload(r)
	if err != nil {
		return sdk.Event{}, sdk.Invalid(err)
	}
	b, err := parse(data)
	if err != nil {
		return sdk.Event{}, sdk.Invalid(err)
	}
	c := d.config
	e := sdk.Event{
		App:      c.App,
		Instance: b.line(c.InstancePath),
		URL:      b.url(c.URLPath),
	}
	e.NativeType = b.line(c.TypePath)
	e.Type = c.typeOf(b)
	e.Title = cmp.Or(b.line(c.TitlePath), arr.OneLine(c.Title), e.NativeType, c.App)
	e.Summary = cmp.Or(b.line(c.SummaryPath), e.Title)
	e.Media = c.Media.of(b, e.Title)
	if e.Type == sdk.TypeTest {
		return e, nil
	}
	e.CorrelationKey = arr.Key(c.App, b.value(c.CorrelationPath))
	e.Fingerprint = c.fingerprint(b, e.Type)
	return e, nil
}

func (c config) typeOf(b body) sdk.Type {
	if c.TestPath != "" && strings.EqualFold(b.value(c.TestPath), c.TestValue) {
		return sdk.TypeTest
	}
	if c.Type != "" {
		return sdk.Type(c.Type)
	}
	if t, ok := c.Types[b.value(c.TypePath)]; ok {
		return sdk.Type(t)
	}
	return sdk.TypeUnknown
}

// fingerprint is empty for a body that lacks one of the values: what is left of them
// may be the same in other events.
func (c config) fingerprint(b body, t sdk.Type) string {
	values := make([]string, 0, len(c.FingerprintPaths))
	for _, path := range c.FingerprintPaths {
		value := b.value(path)
		if value == "" {
			return ""
		}
		values = append(values, value)
	}
	// Several of the sender's words may be of one type.
	return arr.Fingerprint(string(t)+" "+b.value(c.TypePath), values...)
}

func (m media) of(b body, title string) *sdk.Media {
	if m.Kind == "" {
		return nil
	}
	ids := arr.IDs{}
	for service, path := range m.IDs {
		ids[service] = arr.ID(b.line(path))
	}
	return &sdk.Media{
		Kind:     m.Kind,
		ID:       b.line(m.IDPath),
		Title:    cmp.Or(b.line(m.TitlePath), title),
		Year:     b.year(m.YearPath),
		IDs:      ids.Event(),
		Path:     b.value(m.FolderPath),
		Overview: b.text(m.OverviewPath),
		Poster:   b.url(m.PosterPath),
	}
}

// body is one that was checked to be JSON, as gjson wants it.
type body []byte

func parse(data []byte) (body, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\uFEFF")))
	switch {
	case len(data) == 0:
		return nil, errors.New("the body is empty")
	case len(data) > maxBody:
		return nil, fmt.Errorf("the body has %d bytes, more than %d", len(data), maxBody)
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("the body is not JSON: %w", json.Unmarshal(data, new(any)))
	}
	return data, nil
}

func (b body) at(path string) gjson.Result {
	if path == "" {
		return gjson.Result{}
	}
	return gjson.GetBytes(b, path)
}

// value is what is at a path, for comparison: an array or an object as it is written.
func (b body) value(path string) string {
	return strings.ToValidUTF8(b.at(path).String(), "\uFFFD")
}

// text is what is at a path, for people: of an array its first items, of an object
// nothing.
func (b body) text(path string) string {
	r := b.at(path)
	switch {
	case r.IsObject():
		return ""
	case !r.IsArray():
		return strings.ToValidUTF8(r.String(), "\uFFFD")
	}
	var items []string
	r.ForEach(func(_, item gjson.Result) bool {
		if !item.IsObject() && !item.IsArray() {
			items = append(items, strings.ToValidUTF8(item.String(), "\uFFFD"))
		}
		return len(items) < maxItems
	})
	return arr.Join(", ", items...)
}

func (b body) line(path string) string { return arr.OneLine(b.text(path)) }

func (b body) url(path string) string {
	if u := arr.AbsoluteURL(b.text(path)); u != nil {
		return u.String()
	}
	return ""
}

// year is also that of a date which begins with it.
func (b body) year(path string) int {
	const digits = 4
	s := b.line(path)
	year, err := strconv.Atoi(s[:min(len(s), digits)])
	if err != nil {
		return 0
	}
	return max(year, 0)
}
