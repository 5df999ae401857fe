package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// History has a source read one page of what happened, within ctx. The error matches
// host.ErrUnsupported for a source that has no history; else it is like Decode's, or
// what the plugin said, for a person to read.
func (h *Host) History(ctx context.Context, source string, q sdk.HistoryQuery) (host.Past, error) {
	return power(ctx, h, host.KindSource, "history", source, func(p *process) (host.Past, error) { return p.client.History(ctx, source, q) })
}

// Fetch has a source add to an event, JSON by the published schema, what its webhook
// left out. Errors are like History's.
func (h *Host) Fetch(ctx context.Context, source string, event json.RawMessage) (json.RawMessage, error) {
	return power(ctx, h, host.KindSource, "fetch", source, func(p *process) (json.RawMessage, error) { return p.client.Fetch(ctx, source, event) })
}

// Connect has a source look after its application's webhook. Errors are like
// History's.
func (h *Host) Connect(ctx context.Context, source string, r sdk.ConnectRequest) (sdk.ConnectResult, error) {
	return power(ctx, h, host.KindSource, "connect", source, func(p *process) (sdk.ConnectResult, error) { return p.client.Connect(ctx, source, r) })
}

// Folders asks a source or a target where files are kept. Errors are like History's.
func (h *Host) Folders(ctx context.Context, kind host.Kind, instance string, q sdk.FoldersQuery) (sdk.Folders, error) {
	return power(ctx, h, kind, "folders", instance, func(p *process) (sdk.Folders, error) { return p.client.Folders(ctx, instance, q) })
}

// Snapshot has a source read one page of what its application has. Errors are like
// History's.
func (h *Host) Snapshot(ctx context.Context, source string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	return power(ctx, h, host.KindSource, "snapshot", source, func(p *process) (host.Snapshot, error) { return p.client.Snapshot(ctx, source, q) })
}

// power calls an optional power of an instance's plugin.
func power[R any](ctx context.Context, h *Host, kind host.Kind, method, instance string, do func(p *process) (R, error)) (R, error) {
	var none R
	s, err := h.lookup(kind, instance)
	if err != nil {
		return none, err
	}
	if problem := s.problem(instance); problem != "" {
		return none, fmt.Errorf("%w: %s", ErrUnavailable, problem)
	}
	return callPower(ctx, s, method, do)
}

// callPower calls an optional power of a plugin.
func callPower[R any](ctx context.Context, s *supervisor, method string, do func(p *process) (R, error)) (result R, err error) {
	var said error
	err = s.call(ctx, method, false, func(p *process) error {
		var trouble error
		result, trouble = do(p)
		said, trouble = plain(trouble)
		return trouble
	})
	return result, errors.Join(err, said)
}

// plain takes an error of a power for what the plugin says itself, in its own words, or for
// trouble of the plugin's.
func plain(err error) (said, trouble error) {
	switch {
	case status.Code(err) == codes.Unimplemented:
		return host.ErrUnsupported, nil
	case errors.Is(err, host.ErrUnsupported), errors.Is(err, host.ErrNothingToSend):
		return err, nil
	case status.Code(err) == codes.Aborted:
		return errors.New(message(err)), nil
	default:
		return nil, err
	}
}
