package pluginnew

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// decode returns what the source's code makes of its sample, as sdk/plugintest writes it
// into a golden file. The module's own test compares the two.
func (s source) decode(name string) ([]byte, error) {
	e := sdk.Event{
		ID: "01980000-0000-7000-8000-000000000001", Source: "plugintest", Origin: sdk.OriginWebhook,
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), App: name, Type: sdk.TypeUnknown,
	}
	native, title := s.Native.value(), s.Title.value()
	for _, t := range s.Types {
		if native != "" && strings.EqualFold(t.Word, native) {
			e.Type = t.typ
		}
	}
	e.NativeType, e.Title = native, cmp.Or(title, native, s.Fallback)
	e.Summary = cmp.Or(strings.Trim(native+": "+title, ": "), s.Fallback)
	if s.ID != nil {
		e.Fingerprint = strings.Join(slices.DeleteFunc([]string{native, s.ID.Value}, func(part string) bool { return part == "" }), ":")
	}
	if s.Story != nil {
		e.CorrelationKey = s.Story.Path + ":" + s.Story.Value
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(e)
	return b.Bytes(), err
}

func (r *ref) value() string {
	if r == nil {
		return ""
	}
	return r.Value
}
