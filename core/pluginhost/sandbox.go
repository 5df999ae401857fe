package pluginhost

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/core/pluginschema"
	"github.com/hookarr/hookarr/core/sandbox"
	"github.com/hookarr/hookarr/sdk/host"
)

// SandboxState says where a plugin's process runs.
type SandboxState string

// The states.
const (
	// SandboxedOn: in a sandbox.
	SandboxedOn SandboxState = "on"
	// SandboxedOff: without one, because the settings or the plugin's work want it so.
	SandboxedOff SandboxState = "off"
	// SandboxUnsupported: without one, because the system has none.
	SandboxUnsupported SandboxState = "unsupported"
)

// Sandbox says whether a plugin's process runs in a sandbox, and why.
type Sandbox struct {
	State SandboxState
	// Reason says why not, or what this system's sandbox does not keep; it may be empty.
	Reason string
}

// Sandbox returns where a plugin that says this of itself would run with these instances;
// those of others are passed over.
func (h *Host) Sandbox(kind host.Kind, plugin string, d host.Description, instances []Instance) Sandbox {
	return h.opts.sandboxFor(kind, plugin, d, byPlugin(instances)[pluginKey{kind, plugin}])
}

// sandboxFor decides where a plugin runs. A plugin that is to run in a sandbox or not at
// all is refused where there is none before this is asked.
func (o Options) sandboxFor(kind host.Kind, name string, d host.Description, instances []host.Instance) Sandbox {
	key := sandboxKey(kind, name)
	mode := o.Settings(kind, name).withDefaults().Sandbox
	switch {
	case mode == SandboxOff:
		return Sandbox{SandboxedOff, key + " is off"}
	case mode == SandboxOn:
	case kind != host.KindSource:
		return Sandbox{SandboxedOff, "a target has something to reach"}
	case !d.Offline:
		return Sandbox{SandboxedOff, "the plugin does not promise to do without network and files"}
	default:
		for _, in := range instances {
			if used := pluginschema.NetworkKey(d.ConfigSchema, in.Config); used != "" {
				return Sandbox{SandboxedOff, "the plugin uses the network for " + ConfigKey(kind, in.Name, used)}
			}
		}
	}
	support := o.probe()
	if !support.Supported() {
		return Sandbox{SandboxUnsupported, support.Missing}
	}
	return Sandbox{SandboxedOn, strings.Join(support.Gaps, "; ")}
}

// sandboxKey is the key of the setting.
func sandboxKey(kind host.Kind, name string) string {
	return fmt.Sprintf("plugins.%s-%s.sandbox", kind, name)
}

// launch starts a plugin where its settings, its own promise and its instances want it.
// What it promises is only known when it has said so: a plugin that is to run in a sandbox
// is started outside once, asked, and started anew, unless this host knows the binary.
func (l *launcher) launch(ctx context.Context, kind host.Kind, name string, instances []host.Instance, sink *logSink) (*process, error) {
	p, err := l.start(ctx, kind, name, sink, func(checksum string) bool {
		return l.opts.sandboxFor(kind, name, l.known(described{pluginKey{kind, name}, checksum}), instances).State == SandboxedOn
	})
	if err != nil {
		return nil, err
	}
	l.remember(p)
	where := l.opts.sandboxFor(kind, name, p.desc, instances)
	if inside := where.State == SandboxedOn; inside != (p.policy != nil) {
		p.end()
		if p, err = l.start(ctx, kind, name, sink, func(string) bool { return inside }); err != nil {
			return nil, err
		}
	}
	p.sandbox = where
	if where.State == SandboxUnsupported {
		l.unsupported.Do(func() {
			l.opts.Log.WarnContext(ctx, "plugins that could run in a sandbox run without one", "reason", where.Reason)
		})
	}
	return p, nil
}

// start starts a plugin, in a sandbox if that is asked for. A plugin that must have one is
// not started without.
func (l *launcher) start(ctx context.Context, kind host.Kind, name string, sink *logSink, inside func(checksum string) bool) (*process, error) {
	key := sandboxKey(kind, name)
	if l.opts.Settings(kind, name).Sandbox == SandboxOn {
		if support := l.opts.probe(); !support.Supported() {
			return nil, &refusedError{fmt.Errorf("start plugin %s: %s is on and there is no sandbox: %s: set it to auto to run the plugin without one where there is none",
				binaryName(kind, name), key, support.Missing)}
		}
	}
	p, err := l.run(ctx, kind, name, sink, inside)
	if err != nil && p != nil && p.policy != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w (in a sandbox; with %s: off it runs without)", err, key)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// described is a binary under the name of a plugin: several plugins may share one.
type described struct {
	plugin pluginKey
	// checksum is the binary's SHA-256 in hexadecimal.
	checksum string
}

// known returns what a binary has said of itself that matters before it is started again.
func (l *launcher) known(d described) host.Description {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.descriptions[d]
}

func (l *launcher) remember(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := described{pluginKey{p.desc.Kind, p.desc.Name}, p.checksum}
	l.descriptions[key] = host.Description{Offline: p.desc.Offline, ConfigSchema: p.desc.ConfigSchema}
}

// policyFor is what a plugin may reach in its sandbox: its binary, open here, and its own
// directory.
func policyFor(binary *os.File, dir string) *sandbox.Policy {
	p := sandbox.ProgramPolicy("/proc/self/fd/"+strconv.Itoa(int(binary.Fd())), binary)
	p.Write = []string{dir}
	return &p
}

// suits reports whether a process runs where it should with these instances.
func (s *supervisor) suits(p *process, instances []host.Instance) bool {
	return s.launcher.opts.sandboxFor(s.kind, s.name, p.desc, instances).State == p.sandbox.State
}

// launchLocked starts a process for the instances, and returns with configuring held: they
// do not change any more before the process is given them.
func (s *supervisor) launchLocked(ctx context.Context) (*process, error) {
	for {
		s.configuring.Lock()
		instances := s.instances
		s.configuring.Unlock()
		p, err := s.launcher.launch(ctx, s.kind, s.name, instances, s.sink)
		if err != nil {
			return nil, err
		}
		p.supervisor.Store(s)
		s.configuring.Lock()
		if sameInstances(instances, s.instances) {
			return p, nil
		}
		s.configuring.Unlock()
		p.end()
	}
}
