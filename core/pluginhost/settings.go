package pluginhost

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/hookarr/hookarr/sdk/host"
)

// SandboxMode says whether a plugin runs in a sandbox. The zero value is SandboxAuto.
type SandboxMode string

// The modes.
const (
	// SandboxAuto runs those plugins in a sandbox that can do their work in one, where the
	// system has it.
	SandboxAuto SandboxMode = "auto"
	// SandboxOn runs the plugin in a sandbox or not at all.
	SandboxOn SandboxMode = "on"
	// SandboxOff runs the plugin without one.
	SandboxOff SandboxMode = "off"
)

// Settings are what operators say of one plugin. The zero value is nothing said.
type Settings struct {
	// Memory is how many bytes the plugin's process may hold before another takes its
	// place; 0 is no bound.
	Memory int64
	// Sandbox is read when a process starts.
	Sandbox SandboxMode
}

func (s Settings) withDefaults() Settings {
	s.Sandbox = cmp.Or(s.Sandbox, SandboxAuto)
	return s
}

// settings are those that hold now.
func (s *supervisor) settings() Settings {
	return s.launcher.opts.Settings(s.kind, s.name).withDefaults()
}

// ApplySettings has the processes go by settings that have changed: one that was started
// with another sandbox than it is to have is replaced as by Reload. A bound of memory needs
// no such thing.
func (h *Host) ApplySettings(ctx context.Context) error {
	h.mu.RLock()
	all := slices.Collect(maps.Values(h.plugins))
	h.mu.RUnlock()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, s := range all {
		wg.Go(func() { errs[i] = s.applySettings(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *supervisor) applySettings(ctx context.Context) error {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	p := s.taking()
	if p == nil || p.settings.Sandbox == s.settings().Sandbox {
		return nil // one that is down starts with what holds then
	}
	return s.reloadLocked(ctx)
}

// noSettings says nothing of any plugin.
func noSettings(host.Kind, string) Settings { return Settings{} }
