package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// OptionLister asks plugins for the values that settings may have. pluginhost.Host is one.
type OptionLister interface {
	// ListOptions asks the plugin of a source or a target. The error matches
	// host.ErrUnsupported for one that knows no options.
	ListOptions(ctx context.Context, kind host.Kind, instance, key string) (pluginhost.OptionList, error)
}

// optionsTimeout bounds the question. An endpoint that has many may want pauses between its
// pages.
const optionsTimeout = time.Minute

// OptionKeys returns the settings of a source or a target whose values its plugin can tell.
func (s *Service) OptionKeys(ctx context.Context, kind host.Kind, name string) ([]host.OptionKey, error) {
	list, err := s.listOptions(ctx, kind, name, "")
	return list.Keys, err
}

// Options returns the values that a setting of a source or a target may have, as its
// endpoint knows them. The key is the dotted path below its config.
func (s *Service) Options(ctx context.Context, kind host.Kind, name, key string) ([]sdk.Option, error) {
	list, err := s.listOptions(ctx, kind, name, key)
	if err != nil {
		return nil, err
	}
	known := make([]string, len(list.Keys))
	for i, k := range list.Keys {
		if k.Key == key {
			return append([]sdk.Option{}, list.Options...), nil
		}
		known[i] = k.Key
	}
	return nil, notFound("the plugin of %s %s knows no values of the setting %s (hookarr %[1]ss options %[2]s lists those that it knows some of)%[4]s", kind, name, key, meant(key, known))
}

func (s *Service) listOptions(ctx context.Context, kind host.Kind, name, key string) (pluginhost.OptionList, error) {
	plugin, err := s.pluginOf(kind, name)
	if err != nil {
		return pluginhost.OptionList{}, err
	}
	if s.Choices == nil {
		return pluginhost.OptionList{}, errNoServer
	}
	asked, cancel := context.WithTimeout(ctx, optionsTimeout)
	defer cancel()
	list, err := s.Choices.ListOptions(asked, kind, name, key)
	switch {
	case errors.Is(err, host.ErrUnsupported):
		return list, conflict("the plugin of %s %s does not tell which values a setting may have: hookarr plugins inspect %[1]s-%[3]s --schema shows its settings", kind, name, plugin)
	case err != nil && ctx.Err() == nil:
		detail := fmt.Sprintf("ask %s %s for the values of %s: %s", kind, name, pluginhost.ConfigKey(kind, name, key), err)
		return list, NewProblem(http.StatusBadGateway, detail)
	}
	return list, err
}

// pluginOf returns the plugin of a configured source or target.
func (s *Service) pluginOf(kind host.Kind, name string) (string, error) {
	c := s.Settings.Config()
	switch kind {
	case host.KindTarget:
		if t, ok := c.Targets[name]; ok {
			return t.Plugin, nil
		}
		return "", unknownTarget(name, targetNames(c))
	default:
		if s, ok := c.Sources[name]; ok {
			return s.Plugin, nil
		}
		return "", unknown("source", name, sourceNames(c))
	}
}
