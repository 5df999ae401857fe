package sdk

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed schema/event.v1.json
var eventSchema []byte

// EventSchema returns the JSON Schema (2020-12) of an event, version 1.
func EventSchema() json.RawMessage { return slices.Clone(eventSchema) }
