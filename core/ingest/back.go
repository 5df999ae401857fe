package ingest

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Compose makes of an event that a target handed back what is stored, under the name of a
// source, which may have left the configuration. It goes where routes bring it, but not to
// that target. It repeats none: the settlement that it came with accepts it once.
func (in *Intake) Compose(target, source string, back host.HandedBack) (*store.Acceptance, error) {
	raw, err := toldBy(target, back.JSON)
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	e, told, err := in.compose(source, sdk.OriginTarget, back.Event, raw)
	if err != nil {
		return nil, err
	}
	a, err := in.generation().address(e, told, target)
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// toldBy has an event name the target by its configured name, in what it says of a library, so
// that a replay does not bring it there.
func toldBy(target string, raw json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	library := map[string]json.RawMessage{"server": json.RawMessage(`""`)}
	if told := fields["library"]; told != nil && string(told) != "null" {
		if err := json.Unmarshal(told, &library); err != nil {
			return nil, err
		}
	}
	set(library, "target", json.RawMessage(strconv.Quote(target)))
	named, err := json.Marshal(library)
	if err != nil {
		return nil, err
	}
	set(fields, "library", named)
	return json.Marshal(fields)
}
