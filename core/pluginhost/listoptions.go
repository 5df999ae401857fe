package pluginhost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// OptionList is what a plugin tells of the values that an instance's settings may have.
type OptionList struct {
	// Keys are those that have options.
	Keys []host.OptionKey
	// Options are those of the key that was asked for.
	Options []sdk.Option
}

// ListOptions asks the plugin of a source or a target for the values that a key of its
// configuration may have. The configuration may be one that the plugin refuses for this key.
// For a key that is none of the list's, and for an empty one, nothing is asked. The error
// matches host.ErrUnsupported for a plugin that knows no options; else it is like History's.
func (h *Host) ListOptions(ctx context.Context, kind host.Kind, instance, key string) (OptionList, error) {
	s, err := h.lookup(kind, instance)
	if err != nil {
		return OptionList{}, err
	}
	in := s.instance(instance)
	return callPower(ctx, s, "options", func(p *process) (OptionList, error) { return p.listOptions(ctx, in, key) })
}

// ListOptionsOf is ListOptions for an instance that is not in use: its plugin is launched
// for the question and ended again. It needs no Start.
func (h *Host) ListOptionsOf(ctx context.Context, in Instance, key string) (OptionList, error) {
	l, err := newLauncher(h.opts)
	if err != nil {
		return OptionList{}, err
	}
	defer l.close()
	label := string(in.Kind) + "-" + in.Plugin
	draft := host.Instance{Name: in.Name, Config: in.Config}
	p, err := l.launch(ctx, in.Kind, in.Plugin, []host.Instance{draft}, newLogSink(l.opts.Log.With("plugin", label), nil))
	if err != nil {
		return OptionList{}, err
	}
	defer p.end()
	start := time.Now()
	list, err := p.listOptions(ctx, draft, key)
	said, trouble := plain(err)
	switch {
	case trouble == nil:
		return list, said
	case status.Code(trouble) == codes.DeadlineExceeded:
		return list, fmt.Errorf("plugin %s timed out after %s: %w", label, rounded(time.Since(start)), context.DeadlineExceeded)
	case ctx.Err() != nil:
		return list, fmt.Errorf("call plugin %s: %w", label, ctx.Err())
	case p.endsSoon():
		return list, fmt.Errorf("%w: %s: it ended: %s", ErrPluginBug, label, p.exitReason())
	default:
		return list, fmt.Errorf("%w: %s: %s", ErrPluginBug, label, message(trouble))
	}
}

func (p *process) listOptions(ctx context.Context, in host.Instance, key string) (OptionList, error) {
	list := OptionList{Keys: p.desc.OptionKeys()}
	if len(list.Keys) == 0 {
		return list, host.ErrUnsupported
	}
	if !slices.ContainsFunc(list.Keys, func(k host.OptionKey) bool { return k.Key == key }) {
		return list, nil
	}
	var err error
	list.Options, err = p.client.Options(ctx, in, key)
	return list, err
}

// instance returns an instance that the plugin is given, whether it takes it or not.
func (s *supervisor) instance(name string) host.Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.instances, func(in host.Instance) bool { return in.Name == name })
	if i < 0 {
		return host.Instance{Name: name}
	}
	return s.instances[i]
}
