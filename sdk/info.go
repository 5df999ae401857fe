package sdk

import (
	"context"
	"log/slog"
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
}

// Feature is an optional power of a plugin.
type Feature string

// The features. The first three are for sources, the others for targets.
const (
	FeatureFetch   Feature = "fetch"
	FeatureHistory Feature = "history"
	FeatureConnect Feature = "connect"
	FeatureGroup   Feature = "group"
	FeatureEdit    Feature = "edit"
	FeatureRaw     Feature = "raw"
	FeatureTest    Feature = "test"
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
}

// GroupDefaults says when gathered events are sent.
type GroupDefaults struct {
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
}

// HealthChecker is a Source or Target that knows of trouble which stops nothing,
// such as a credential that soon ends. The error is shown as a warning.
type HealthChecker interface {
	CheckHealth(ctx context.Context) error
}
