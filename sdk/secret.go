package sdk

import (
	"encoding/json"
	"log/slog"

	"github.com/invopop/jsonschema"
)

const redacted = "[redacted]"

// Secret is a string that does not print, log or marshal. It decodes from a plain
// string.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a placeholder, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns the placeholder for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue returns the placeholder for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes the placeholder.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText writes the placeholder, for encoders other than JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// JSONSchema describes a string that is written and never shown.
func (Secret) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", WriteOnly: true}
}
