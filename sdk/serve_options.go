package sdk

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// maxOptions is how many options an answer has.
const maxOptions = 1000

// optionsServer serves the options of sources or targets.
type optionsServer[T any] struct {
	pluginv1.UnimplementedOptionsServiceServer
	server *server[T]
}

// ListOptions implements OptionsService.
func (s *optionsServer[T]) ListOptions(ctx context.Context, req *pluginv1.ListOptionsRequest) (*pluginv1.ListOptionsResponse, error) {
	key := req.GetKey()
	if known := s.server.id.schema.OptionKeys(); !slices.Contains(known, key) {
		return nil, status.Errorf(codes.Aborted, "the key %s has no options; there are some for %s", cut(validText(key), maxMessage/4), strings.Join(known, ", "))
	}
	ctx, cancel := sooner(ctx)
	defer cancel()
	resp := &pluginv1.ListOptionsResponse{}
	err := s.server.instances.draft(ctx, req, func(in *instance[T]) error {
		lister, ok := any(in.value).(OptionLister)
		if !ok {
			return status.Error(codes.Unimplemented, "the instance has no Options")
		}
		found, err := lister.Options(ctx, key)
		if err != nil {
			return in.said(ctx, err)
		}
		resp.Options = in.options(ctx, key, found)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// options returns what may go to the host. A value is whole or left out: half of one, or
// one with its secret replaced, is another.
func (in *instance[T]) options(ctx context.Context, key string, found []Option) []*pluginv1.Option {
	all := make([]*pluginv1.Option, 0, min(len(found), maxOptions))
	left := 0
	for _, o := range found {
		switch {
		case o.Value == "", len(o.Value) > maxMessage, !utf8.ValidString(o.Value), in.redactor.text(o.Value) != o.Value:
			left++
		case len(all) == maxOptions:
			left++
		default:
			all = append(all, &pluginv1.Option{Value: o.Value, Label: in.redactor.line(o.Label)})
		}
	}
	if left > 0 {
		in.log.WarnContext(ctx, "options are left out: they are too many, too long or no text, or hold a secret", "key", key, "count", left)
	}
	return all
}

// draft runs f with an instance of a configuration that is being written, in which a key
// may be wrong or missing. The instance is in no set, and closed when draft returns.
func (s *instances[T]) draft(ctx context.Context, req *pluginv1.ListOptionsRequest, f func(in *instance[T]) error) error {
	s.configuring.Lock()
	if s.stopped {
		s.configuring.Unlock()
		return status.Error(codes.Unavailable, "the plugin is stopping")
	}
	// closeAll, which is not begun yet, waits for it.
	s.closing.Add(1)
	s.configuring.Unlock()
	defer s.closing.Done()

	in, problems, _ := s.build(ctx, req.GetInstance(), req.GetConfig(), req.GetKey(), toHostInfo(req.GetHost()))
	if len(problems) > 0 {
		return status.Error(codes.Aborted, unfinished(problems))
	}
	defer in.close()
	return in.run(ctx, "Options", f)
}

// unfinished says what keeps a draft from being asked. The messages are without secrets.
func unfinished(problems []config.Problem) string {
	texts := make([]string, 0, len(problems))
	for i := range problems {
		texts = append(texts, problems[i].Error())
	}
	return cut("mend its other settings first: "+strings.Join(texts, "; "), maxMessage)
}
