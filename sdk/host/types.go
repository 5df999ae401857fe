// Package host is the client half of the plugin protocol: what a program uses that
// launches plugins. The Hookarr core and package plugintest are such programs;
// plugin authors do not need it.
package host

import (
	"encoding/json"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// Kind is what a plugin is for.
type Kind string

// The kinds.
const (
	KindSource Kind = "source"
	KindTarget Kind = "target"
)

// Description is what a plugin says of itself.
type Description struct {
	Name            string
	Kind            Kind
	Version         string
	Summary         string
	SDKVersion      string
	ProtocolVersion int
	// ConfigSchema is the JSON Schema of one instance's configuration.
	ConfigSchema json.RawMessage
	Features     []sdk.Feature
	Defaults     sdk.Defaults
}

// Instance is one configured source or target of a plugin.
type Instance struct {
	Name string
	// Config is a JSON object; nil is an empty one.
	Config json.RawMessage
}

// InstanceInfo is what a plugin says of a configured instance.
type InstanceInfo struct {
	Name string
	// NeedsOriginals: deliveries to it carry the original requests.
	NeedsOriginals bool
}

// Problem is one thing wrong with an instance's configuration.
type Problem struct {
	Instance string
	// Key is the dotted path inside the configuration; empty for the whole.
	Key     string
	Message string
}

// Decoded is what a source plugin made of a request. Exactly one of Event, Skip
// and Invalid is set.
type Decoded struct {
	// Event has what hosts act on: ID, Source, Type, Title, Summary, Fingerprint and
	// CorrelationKey. Everything else is in JSON alone.
	Event *sdk.Event
	// JSON is the whole event as the plugin sent it, with fields that this version of
	// the SDK does not know.
	JSON json.RawMessage
	// Skip and Invalid are reasons.
	Skip    string
	Invalid string
	// Test: what is invalid is the sender's test of the connection.
	Test bool
}

// Delivery is one attempt for a target plugin to make.
type Delivery struct {
	ID      string
	Attempt int
	Route   string
	// Events are JSON by the published schema.
	Events         []json.RawMessage
	Originals      []sdk.Request
	CorrelationKey string
	Previous       *sdk.Receipt
}

// Outcome is what became of an attempt.
type Outcome struct {
	Class sdk.Class
	// RetryAfter is the earliest next attempt that the endpoint asked for.
	RetryAfter time.Duration
	// Message is one line for people, without secrets; empty for ClassOK.
	Message string
	Receipt sdk.Receipt
	// Crashed: the plugin died by itself while it made the attempt. Set by hosts.
	Crashed bool
}
