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

// ParseDuration reads a duration as configurations have it: with the units of package
// time, with d for 24 hours and with w for 7 days, such as 90s or 1d12h.
func ParseDuration(s string) (time.Duration, error) {
	d, err := config.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 30s or 7d", s)
	}
	return d, nil
}

// Duration is a time.Duration that is configured as [ParseDuration] reads it: 1m30s.
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
	v, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// JSONSchema describes the string.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Format: config.FormatDuration, Examples: []any{"30s", "1h30m"}}
}
