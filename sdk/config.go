package sdk

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/sdk/internal/config"
)

// Problem is an error of a configuration's Validate method, or of an instance's
// constructor, that names the key which is wrong: "schedule[2]". The message is one
// line that reads well after the key.
func Problem(key, message string) error { return &config.Problem{Key: key, Message: message} }

// Duration is a time.Duration that is configured as a Go duration string: 1m30s.
type Duration time.Duration

// String returns the duration the way it is configured.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes the duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads a duration string.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a duration is a string such as 30s: %w", err)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 30s", s)
	}
	*d = Duration(v)
	return nil
}

// JSONSchema describes the string.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Format: config.FormatDuration, Examples: []any{"30s", "1h30m"}}
}
