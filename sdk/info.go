package sdk

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// ProtocolVersion is the version of the wire contract that this package speaks.
const ProtocolVersion = handshake.ProtocolVersion

// Version is the semantic version of this package, which hosts show.
const Version = "0.1.0"

// Info describes a plugin.
type Info struct {
	// Name is lower case and the same as in the binary's name:
	// hookarr-target-NAME.
	Name string
	// Version is semantic: 1.2.3.
	Version string
	// Summary is one sentence for lists.
	Summary string
	// Features are the optional powers that every instance has.
	Features []Feature
	// Defaults are proposals that the operator's configuration overrules.
	Defaults Defaults
	// EventTypes are what a source may make, for lists and for warnings of routes that
	// wait for something else. Empty is for sources that cannot say.
	EventTypes []EventType
	// Offline is the promise of a source that it uses no network, but for instances that
	// set a key with the tag `hookarr:"network"`, and no file but its own. Hosts may hold
	// it to that: Hookarr runs it in a sandbox on Linux, where anything else fails.
	Offline bool
}

// EventType is a type of event that a source may make, by webhook or from its history.
type EventType struct {
	Type Type
	// Native are the application's own words for what becomes this type.
	Native []string
}

// Feature is an optional power of a plugin.
type Feature string

// The features of sources.
const (
	FeatureFetch    Feature = "fetch"
	FeatureHistory  Feature = "history"
	FeatureConnect  Feature = "connect"
	FeatureSnapshot Feature = "snapshot"
)

// The features of targets.
const (
	FeatureGroup   Feature = "group"
	FeatureEdit    Feature = "edit"
	FeatureRaw     Feature = "raw"
	FeatureTest    Feature = "test"
	FeaturePreview Feature = "preview"
	FeatureVerify  Feature = "verify"
)

// The features of sources and of targets.
const (
	FeatureFolders Feature = "folders"
	FeatureOptions Feature = "options"
)

// Defaults are a target plugin's proposals. Zero values leave a matter to the host.
type Defaults struct {
	// Concurrency is how many attempts may be under way at once. One keeps order.
	Concurrency int
	// Rate limits attempts per second, with Burst at once.
	Rate  float64
	Burst int
	// Group says how events are gathered when the operator groups them.
	Group GroupDefaults
	// FoldUpgrades leaves the deletion of a file for an upgrade to the delivery of the
	// upgrade, which has the deleted file too. It is for targets that tell people.
	FoldUpgrades bool
}

// GroupDefaults says which events are gathered, and when they are sent.
type GroupDefaults struct {
	// On groups the deliveries unless the operator says otherwise.
	On bool
	// By is what the events of a group have in common, as in the configuration: download,
	// season, folder, title or an expression.
	By string
	// Wait is quiet time since the last event, MaxWait since the first.
	Wait, MaxWait time.Duration
	// Max is the most events in one delivery.
	Max int
}

// Env is what the SDK gives an instance.
type Env struct {
	// Instance is the configured name.
	Instance string
	// Log reaches the host's log with the plugin's and the instance's names.
	Log *slog.Logger
	// HTTP classifies answers and keeps secrets out of errors.
	HTTP *HTTP
	// Host is the program that runs the plugin.
	Host HostInfo

	warnings *warnings
}

// Warn tells the operator, in the constructor, what is probably wrong with the
// configuration and keeps it from nothing. The key is the one concerned, as for
// [Problem]; the message reads well after it. The host shows it with its checks and
// lists, and logs it once.
func (e Env) Warn(key, message string) { e.warnings.add(key, message) }

// HostInfo is what a host says of itself. It is zero for a host that says nothing.
type HostInfo struct {
	// Version is Hookarr's, a semantic version.
	Version string
	// Features are those that the host makes use of.
	Features []Feature
}

// Has reports whether the host says that it makes use of a feature.
func (h HostInfo) Has(f Feature) bool { return slices.Contains(h.Features, f) }

// HealthChecker is a Source or Target that knows of trouble which stops nothing,
// such as a credential that soon ends. The error is shown as a warning.
type HealthChecker interface {
	CheckHealth(ctx context.Context) error
}
