package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/pluginschema"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Plugin is a plugin as JSON.
type Plugin struct {
	Name     string        `json:"name"`
	Kind     host.Kind     `json:"kind" enum:"source,target"`
	Version  string        `json:"version,omitempty"`
	Summary  string        `json:"summary,omitempty"`
	SDK      string        `json:"sdk_version,omitempty"`
	Protocol int           `json:"protocol_version,omitempty"`
	SHA256   string        `json:"sha256,omitempty"`
	Features []sdk.Feature `json:"features" nullable:"false"`
	Unused   []sdk.Feature `json:"features_unused,omitempty" doc:"Those of the features that this Hookarr makes no use of."`
	Path     string        `json:"path,omitempty"`
	// Problem says why the plugin does not work and what mends it.
	Problem string `json:"problem,omitempty" doc:"Why it does not work, and what mends it."`

	// The following are of a running server.
	State  pluginhost.State `json:"state,omitempty" enum:"starting,ready,backoff,refused,quarantined,stopped"`
	Since  *time.Time       `json:"since,omitempty" doc:"When the state began."`
	Until  *time.Time       `json:"until,omitempty" doc:"When a rest ends."`
	PID    int              `json:"pid,omitempty"`
	Memory int64            `json:"memory_bytes,omitempty" doc:"Resident memory of its process and that of its children, without pages of files."`
	// Sandbox is where its process runs, and SandboxReason why there.
	Sandbox       pluginhost.SandboxState `json:"sandbox,omitempty" enum:"on,off,unsupported" doc:"Whether its process runs in a sandbox; unsupported for one that should, on a system that has none."`
	SandboxReason string                  `json:"sandbox_reason,omitempty" doc:"Why it does not, or what the sandbox of this system does not keep."`
	Started       *time.Time              `json:"started_at,omitempty" doc:"When its process started."`
	Restarts      int                     `json:"restarts" doc:"Since the server started."`
	// Instances are the sources or targets that are bound to it.
	Instances []string `json:"instances" nullable:"false" doc:"The sources or targets that it serves."`
	// Refused are settings of instances that it does not take.
	Refused  []string          `json:"refused,omitempty" doc:"Settings that it refuses, each with its key."`
	Warnings map[string]string `json:"warnings,omitempty" doc:"Its own, by instance."`
	// LastFailure is why its last start failed, or its last process ended, and Refusal why
	// the binary that is there now does not take its place.
	LastFailure *Failure `json:"last_failure,omitempty" doc:"Why its last start failed, or its last process ended."`
	Refusal     *Failure `json:"refusal,omitempty" doc:"Why the binary that is there now does not take its place."`
	// Doubts are settings of instances that it takes and doubts.
	Doubts []string `json:"doubted,omitempty" doc:"Settings that it takes and doubts, each with its key."`
	// Lock is pinned, unpinned for none in the lock file, differs, or none without such a
	// file, in the view of a single plugin.
	Lock pluginhost.Pin `json:"lock,omitempty" enum:"none,pinned,unpinned,differs,unreadable" doc:"What the lock file says of the binary that runs, in the view of a single plugin."`
	// Schema is that of an instance's settings, in the view of a single plugin.
	Schema any `json:"config_schema,omitempty" doc:"JSON Schema of an instance's settings, in the view of a single plugin."`
}

// Failure is something that went wrong.
type Failure struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func viewFailure(f pluginhost.Failure) *Failure {
	if f.Reason == "" {
		return nil
	}
	return &Failure{At: f.At, Reason: f.Reason}
}

// ListPlugins returns the plugins that the server uses.
func (s *Service) ListPlugins() ([]Plugin, error) {
	if s.Plugins == nil {
		return nil, errNoServer
	}
	views := []Plugin{}
	for _, status := range s.Plugins.Status() {
		views = append(views, viewPlugin(status))
	}
	return views, nil
}

func viewPlugin(s pluginhost.Status) Plugin {
	d := s.Description
	v := Plugin{
		Name: s.Plugin, Kind: s.Kind, Version: d.Version, Summary: d.Summary, SDK: d.SDKVersion, Protocol: d.ProtocolVersion,
		SHA256: s.SHA256, Features: append([]sdk.Feature{}, d.Features...), Path: s.Path, Problem: s.Reason,
		State: s.State, Since: timeOr(s.Since), Until: timeOr(s.Until), PID: s.PID, Memory: s.Memory, Started: timeOr(s.StartedAt), Restarts: s.Restarts,
		Sandbox: s.Sandbox.State, SandboxReason: s.Sandbox.Reason,
		Unused:    slices.DeleteFunc(slices.Clone(d.Features), pluginhost.Uses),
		Instances: append([]string{}, s.Instances...), Warnings: s.Warnings,
		LastFailure: viewFailure(s.LastFailure), Refusal: viewFailure(s.Refusal),
	}
	for _, p := range s.Problems {
		key := pluginhost.ConfigKey(s.Kind, p.Instance, p.Key)
		v.Refused = append(v.Refused, key+": "+p.Message)
	}
	for _, p := range s.ConfigWarnings {
		v.Doubts = append(v.Doubts, pluginhost.ConfigKey(s.Kind, p.Instance, p.Key)+": "+p.Message)
	}
	return v
}

// timeOr returns nil for the zero time.
func timeOr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// FindPlugin returns a plugin by its name with its kind, such as target-discord.
func (s *Service) FindPlugin(name string) (Plugin, error) {
	if s.Plugins == nil {
		return Plugin{}, errNoServer
	}
	var names []string
	for _, status := range s.Plugins.Status() {
		full := string(status.Kind) + "-" + status.Plugin
		if full != strings.TrimPrefix(name, "hookarr-") {
			names = append(names, full)
			continue
		}
		v := viewPlugin(status)
		if v.SHA256 != "" {
			v.Lock = pluginhost.Pinned(s.Settings.Config().Plugins.Lock, status.Kind, status.Plugin, v.SHA256)
		}
		// One that is no JSON would spoil the answer that it is a part of.
		if schema := status.Description.ConfigSchema; len(schema) <= pluginschema.MaxBytes && json.Valid(schema) {
			v.Schema = schema
		}
		return v, nil
	}
	return Plugin{}, notFound("the server uses no plugin of this name; it uses %s%s", joined(names), config.Suggest(name, names))
}

// ReloadPlugin takes a plugin's binary that is there now into use.
func (s *Service) ReloadPlugin(ctx context.Context, name string) (Plugin, error) {
	p, err := s.FindPlugin(name)
	if err != nil {
		return Plugin{}, err
	}
	if err := s.Plugins.Reload(ctx, p.Kind, p.Name); err != nil {
		return Plugin{}, conflict("plugin %s is not replaced: %s", name, err)
	}
	return s.FindPlugin(name)
}

// ConfigYAML returns the settings in use without secrets.
func (s *Service) ConfigYAML() ([]byte, error) {
	return s.Settings.Config().Redacted(s.schemas())
}

// ConfigSettings returns the settings in use one by one, with where each was set.
func (s *Service) ConfigSettings() []config.Setting { return s.Settings.Config().Settings(s.schemas()) }

// schemas are those of the plugins that run.
func (s *Service) schemas() config.Schemas {
	if s.Plugins == nil {
		return nil
	}
	all := s.Plugins.Status()
	return func(kind, plugin string) json.RawMessage {
		for _, status := range all {
			if string(status.Kind) == kind && status.Plugin == plugin {
				return status.Description.ConfigSchema
			}
		}
		return nil
	}
}

// Version returns what answers, and by which settings it goes.
func (s *Service) Version() Version {
	v, c := s.Program, s.Settings.Config()
	v.Config, v.ConfigHash = c.File, fmt.Sprintf("%012x", c.Hash())
	v.Overruled = c.Overruled()
	v.FileHash = fmt.Sprintf("%012x", c.HashWithout(v.Overruled))
	return v
}

// Reload takes the configuration that is there now into use, or says what it would change.
func (s *Service) Reload(ctx context.Context, dryRun bool) (Reload, error) {
	if s.Reloader == nil {
		return Reload{}, errNoServer
	}
	r, err := s.Reloader.Reload(ctx, dryRun)
	refused, ok := errors.AsType[*config.Error](err)
	switch {
	case ok:
		r.Problems = refused.Problems
	case err != nil:
		return Reload{}, fmt.Errorf("reload: %w", err)
	}
	r.Applied = !ok && !dryRun
	// Lists are lists in JSON, however they were made.
	r.Changes, r.NeedsRestart = append([]config.Change{}, r.Changes...), append([]string{}, r.NeedsRestart...)
	r.Problems = append([]config.Problem{}, r.Problems...)
	return r, nil
}

// Tested is what became of a target's test.
type Tested struct {
	Target  string    `json:"target"`
	Class   sdk.Class `json:"class" doc:"ok where the endpoint took it."`
	Status  int       `json:"status,omitempty" doc:"HTTP status, if there was an answer."`
	Message string    `json:"message,omitempty"`
	Excerpt string    `json:"excerpt,omitempty" doc:"The beginning of the answer."`
}

// TestTarget has a target send its test.
func (s *Service) TestTarget(ctx context.Context, name string) (Tested, error) {
	c := s.Settings.Config()
	if _, ok := c.Targets[name]; !ok {
		return Tested{}, unknownTarget(name, targetNames(c))
	}
	if s.Trier == nil {
		return Tested{}, errNoServer
	}
	t, err := s.Trier.TestTarget(ctx, name)
	if errors.Is(err, host.ErrUnsupported) {
		return Tested{}, conflict("the plugin of target %s has no test: replay an event to it instead", name)
	}
	t.Target = name
	return t, err
}
