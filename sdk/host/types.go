// Package host is the client half of the plugin protocol: what a program uses that
// launches plugins. The Hookarr core and package plugintest are such programs;
// plugin authors do not need it.
package host

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/feature"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
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
	// Features are what the plugin declares. One of a later version, which Knows does not
	// know, has its number for a name.
	Features []sdk.Feature
	Defaults sdk.Defaults
	// EventTypes are what a source may make; empty is anything.
	EventTypes []sdk.EventType
	// Offline: a source uses no network, but for instances that set a key which the
	// schema marks with x-hookarr-network, and no file but its own.
	Offline bool
}

// Knows reports whether a feature is one of this version.
func Knows(f sdk.Feature) bool { return feature.Of(string(f)) != pluginv1.Feature_FEATURE_UNSPECIFIED }

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
	// SingleEvents: deliveries to it have one event.
	SingleEvents bool
}

// Configured is what a plugin makes of its instances' configurations.
type Configured struct {
	// Problems are of instances that are not put in place.
	Problems []Problem
	// Warnings are of any instance, and keep it from nothing.
	Warnings  []Problem
	Instances []InstanceInfo
}

// Problem is one thing wrong with an instance's configuration, or a warning.
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
	// Record asks for Outcome.Sent whatever the outcome.
	Record bool
}

// Request is an HTTP request that a target sent, or would send, without secrets.
type Request struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Header http.Header `json:"headers,omitempty"`
	// Body is at most 16 KiB, and Truncated says that it was longer. What is no text in
	// it is replaced.
	Body      string `json:"body,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
}

// Outcome is what became of an attempt.
type Outcome struct {
	Class sdk.Class
	// RetryAfter is the earliest next attempt that the endpoint asked for.
	RetryAfter time.Duration
	// Message is one line for people, without secrets; empty for ClassOK.
	Message string
	Receipt sdk.Receipt
	// Sent is the last request of an attempt that failed or was to be recorded. It is
	// nil when the target sent none, or not by the SDK's HTTP client.
	Sent *Request
	// Events are what the target tells, whatever the class.
	Events []HandedBack
	// Redeliver: what the endpoint had accepted is lost, and a new attempt is to be made.
	// The class is ClassRetryable then.
	Redeliver bool
	// Crashed: the plugin died by itself while it made the attempt. Set by hosts.
	Crashed bool
}

// HandedBack is an event that a target tells.
type HandedBack struct {
	// Event has what Decoded.Event has.
	Event sdk.Event
	// JSON is the event as the plugin sent it.
	JSON json.RawMessage
}
