package sdk

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/sdk/internal/config"
)

// An instance's configuration is a struct of the author's. These tags say all there
// is to know of it:
//
//	json:"key"               the key, as encoding/json has it
//	doc:"…"                  what it is for; every key needs one
//	hookarr:"required"       the key must be there and not empty
//	hookarr:"default=POST"   what an absent key stands for
//	hookarr:"enum=a|b"       the only values; for a list, of its entries
//
// Options of the hookarr tag are joined by commas: "default=a,enum=a|b". Strings
// are written as they are, other values as JSON. The limits of github.com/invopop/jsonschema's
// own tag work too: jsonschema:"minimum=1,maximum=50".
//
// A configuration that has a method Validate() error is asked last. It can name
// several keys by joining errors made by [Problem].

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
