package pluginhost

import (
	"cmp"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/sandbox"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk/host"
)

// Options configure a Host. Zero values work, except for Dirs.
type Options struct {
	// Dirs are the directories of the plugin binaries. The first that has a binary of
	// a name wins.
	Dirs []string
	// LockFile pins the binaries' checksums once it exists; empty pins nothing.
	LockFile string
	// Log gets the host's own lines and the plugins'; nil discards them.
	Log *slog.Logger
	// Metrics registers the metrics of this package; nil keeps them unregistered.
	Metrics prometheus.Registerer
	// TempDir is where private directories for sockets are made; empty is the
	// system's. Its path is limited to some 30 characters by what a socket's may
	// have.
	TempDir string
	// Settings returns what operators say of a plugin. It is asked at each start of the
	// plugin's process and at each look at what that takes, so that changes take effect. It
	// must not block. Nil says nothing of any.
	Settings func(kind host.Kind, name string) Settings
	// Changed is called when a plugin has come up or was replaced, so that what it says of
	// itself may be another. It must not block. Nil is nothing to do.
	Changed func()
	// probe asks the kernel for a sandbox. Nil is sandbox.Probe.
	probe func() sandbox.Support
	// setLimits sets the kernel's limits of a process that has started. Nil is the function of
	// that name.
	setLimits func(pid int) error
	// Timing is for tests that cannot wait.
	Timing Timing
}

// Timing says how long things take. Each zero value stands for the default named.
type Timing struct {
	// Start bounds the start of a process up to its description: 10 s. Configure bounds its
	// configuration: Start.
	Start, Configure time.Duration
	// Exit is how long after a broken call to wait for the news of the process's end: 1 s.
	Exit time.Duration
	// Ready is how long a call waits for a plugin that is starting: 3 s.
	Ready time.Duration
	// Health is the pause between health checks, 15 s, and HealthTimeout bounds
	// each: 5 s. Three failures in a row end the process.
	Health, HealthTimeout time.Duration
	// BackoffMin is the pause before the first restart, 0.5 s. It doubles with each
	// up to BackoffMax, 1 min, and a plugin that was up for Stable, 5 min, begins
	// anew.
	BackoffMin, BackoffMax, Stable time.Duration
	// MaxExits in ExitWindow, 5 in 5 min, put a plugin into quarantine.
	MaxExits   int
	ExitWindow time.Duration
	// Look is the pause between two looks at what the processes take: 2 s. Spin is how long
	// one may take more than SpinShare of a processor, 0.5, for calls that nobody waits for: 30 s.
	Look, Spin time.Duration
	SpinShare  float64
	// Quarantine is the pause after which a quarantined plugin is started again:
	// 10 min.
	Quarantine time.Duration
}

// healthFailures is how many failed health checks in a row end a process.
const healthFailures = 3

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Settings == nil {
		o.Settings = noSettings
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.probe == nil {
		o.probe = sandbox.Probe
	}
	o.probe = sync.OnceValue(o.probe)
	if o.setLimits == nil {
		o.setLimits = setLimits
	}
	o.TempDir = cmp.Or(o.TempDir, os.TempDir())
	t := &o.Timing
	t.Start = cmp.Or(t.Start, timeout.Of(10*time.Second))
	t.Configure = cmp.Or(t.Configure, t.Start)
	t.Exit = cmp.Or(t.Exit, time.Second)
	t.Ready = cmp.Or(t.Ready, timeout.Of(3*time.Second))
	t.Health = cmp.Or(t.Health, 15*time.Second)
	t.HealthTimeout = cmp.Or(t.HealthTimeout, timeout.Of(5*time.Second))
	t.BackoffMin = cmp.Or(t.BackoffMin, 500*time.Millisecond)
	t.BackoffMax = cmp.Or(t.BackoffMax, time.Minute)
	t.Stable = cmp.Or(t.Stable, 5*time.Minute)
	t.MaxExits = cmp.Or(t.MaxExits, 5)
	t.ExitWindow = cmp.Or(t.ExitWindow, 5*time.Minute)
	t.Look = cmp.Or(t.Look, 2*time.Second)
	t.Spin = cmp.Or(t.Spin, 30*time.Second)
	t.SpinShare = cmp.Or(t.SpinShare, 0.5)
	t.Quarantine = cmp.Or(t.Quarantine, 10*time.Minute)
	return o
}
