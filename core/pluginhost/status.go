package pluginhost

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Status is what a plugin is doing.
type Status struct {
	Kind   host.Kind
	Plugin string
	State  State
	// Since is when the state began, and Until when a rest ends.
	Since, Until time.Time
	// Reason says why the plugin is not ready.
	Reason string
	// PID is 0 without a process; StartedAt, Path, SHA256 and Memory, in bytes, are its.
	// Memory counts its children, from the first look at what it takes on, as the bound
	// does. It is 0 where the system does not tell.
	PID          int
	Memory       int64
	StartedAt    time.Time
	Path, SHA256 string
	// Sandbox is where the process runs; zero without a process.
	Sandbox Sandbox
	// Description is what the plugin said of itself when it last started.
	Description host.Description
	// Instances are those that the plugin serves, by name.
	Instances []string
	// Restarts counts from this host's start.
	Restarts int
	// LastFailure is why the last start failed, or the last process ended.
	LastFailure Failure
	// Refusal is why the binary that is there now does not take the place of the one that
	// runs; zero when it was not refused.
	Refusal Failure
	// Problems are of instances that the plugin refuses.
	Problems []host.Problem
	// Warnings are the plugin's own, by instance.
	Warnings map[string]string
	// ConfigWarnings are of configurations that the plugin takes and doubts.
	ConfigWarnings []host.Problem
}

// May reports whether the plugin has a feature. One that has never been up may have any.
func (s Status) May(feature sdk.Feature) bool {
	return s.Description.Version == "" || slices.Contains(s.Description.Features, feature)
}

// Failure is something that went wrong with a plugin. The zero value is nothing.
type Failure struct {
	At     time.Time
	Reason string
}

// Status returns every used plugin's, ordered by kind and name.
func (h *Host) Status() []Status {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]Status, 0, len(h.plugins))
	for _, s := range h.plugins {
		all = append(all, s.status())
	}
	slices.SortFunc(all, func(a, b Status) int {
		return strings.Compare(string(a.Kind)+"-"+a.Plugin, string(b.Kind)+"-"+b.Plugin)
	})
	return all
}

func (s *supervisor) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{
		Kind: s.kind, Plugin: s.name, State: s.state, Since: s.since, Restarts: s.restarts,
		LastFailure: s.lastFailure, Refusal: s.refusal,
		Problems: slices.Clone(s.problems), Warnings: maps.Clone(s.warnings),
		ConfigWarnings: slices.Clone(s.doubts),
	}
	if s.reason != nil {
		st.Reason, st.Until = s.reason.Error(), s.until
	}
	if s.desc != nil {
		st.Description = *s.desc
	}
	if p := s.current; p != nil {
		st.Memory = cmp.Or(p.memory.Load(), residentMemory(p.pid()))
		st.Sandbox = p.sandbox
		st.PID, st.StartedAt, st.SHA256, st.Path = p.pid(), p.started, p.checksum, p.argv[0]
	}
	for _, in := range s.infos {
		st.Instances = append(st.Instances, in.Name)
	}
	slices.Sort(st.Instances)
	return st
}
