package pluginhost

import (
	"context"
	"slices"
	"time"

	"github.com/hookarr/hookarr/sdk/host"
)

// verdict is what a plugin says of its instances.
type verdict struct {
	problems []host.Problem
	// doubts are warnings of configurations.
	doubts []host.Problem
	infos  map[string]host.InstanceInfo
}

// configure gives a process the instances, and records what the plugin says of them.
func (s *supervisor) configure(ctx context.Context, p *process) error {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	return s.configureLocked(ctx, p)
}

// configureAgain has a process that has lost its configuration, or has not taken it, given
// it once more. One that cannot take it is started anew.
func (s *supervisor) configureAgain(p *process) {
	select {
	case s.reconfigure <- p:
	default:
	}
}

func (s *supervisor) configureLocked(ctx context.Context, p *process) error {
	v, err := s.ask(ctx, p, s.instances, false)
	if err != nil {
		return err
	}
	s.mu.Lock()
	known := s.verdict
	s.verdict = v
	s.mu.Unlock()
	s.tell(v, known)
	return nil
}

// tell logs what is new in a verdict.
func (s *supervisor) tell(v, known verdict) {
	for _, w := range v.doubts {
		if !slices.Contains(known.doubts, w) {
			s.log.Warn("plugin warns of a configuration", "instance", w.Instance, "key", w.Key, "warning", w.Message)
		}
	}
	if slices.Equal(v.problems, known.problems) {
		return
	}
	for _, p := range v.problems {
		s.log.Error("instance is not configured", "instance", p.Instance, "key", p.Key, "problem", p.Message)
	}
}

// ask has a process take instances, or only judge them.
func (s *supervisor) ask(ctx context.Context, p *process, instances []host.Instance, validateOnly bool) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timing.Configure)
	defer cancel()
	begun := time.Now()
	configured, err := p.client.Configure(ctx, instances, validateOnly)
	if err != nil {
		return verdict{}, p.explainConfigure(ctx, begun, err)
	}
	v := verdict{problems: configured.Problems, doubts: configured.Warnings, infos: make(map[string]host.InstanceInfo, len(configured.Instances))}
	for _, in := range configured.Instances {
		v.infos[in.Name] = in
	}
	return v, nil
}
