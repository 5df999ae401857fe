package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxReason bounds the text of an outcome made here, in bytes.
const maxReason = 1 << 10

// Deliver has a target make one attempt, which ctx bounds. With alone, nothing else
// runs in the plugin's process meanwhile: so are deliveries attempted that may have
// crashed it.
//
// The outcome is the plugin's, or one of these: unavailable when the plugin could
// not take or finish the attempt, with Crashed set when its process ended by
// itself (a SIGKILL accuses nobody); retryable when the attempt reached the plugin
// and ctx's deadline passed; interrupted when ctx was cancelled or the host stops;
// plugin_bug when the plugin panicked or answered nonsense; permanent when the
// delivery is larger than the plugin takes; misconfigured when the plugin refuses
// the target's configuration. At the deadline Deliver returns even if the plugin
// does not.
func (h *Host) Deliver(ctx context.Context, target string, d host.Delivery, alone bool) host.Outcome {
	return h.attempt(ctx, target, "deliver", alone, func(p *process) (host.Outcome, error) {
		o, err := p.client.Deliver(ctx, target, d)
		if !slices.Contains(p.desc.Features, sdk.FeatureVerify) {
			// Nobody could ask it for a proof.
			o.Receipt.VerifyAfter, o.Events = 0, nil
		}
		return o, err
	})
}

// Verify has a target find out whether the effect of a delivery that its endpoint accepted
// is there, as [host.Client.Verify] does. The outcome is as that of Deliver. What was accepted
// is taken for delivered where the plugin, of another version by now, cannot tell.
func (h *Host) Verify(ctx context.Context, target string, d host.Delivery, accepted sdk.Receipt, final, alone bool) host.Outcome {
	return h.attempt(ctx, target, "verify", alone, func(p *process) (host.Outcome, error) {
		if !slices.Contains(p.desc.Features, sdk.FeatureVerify) {
			return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{
				Fallback: fmt.Sprintf("accepted; plugin %s-%s %s cannot prove it", p.desc.Kind, p.desc.Name, p.desc.Version),
			}}, nil
		}
		return p.client.Verify(ctx, target, d, accepted, final)
	})
}

func (h *Host) attempt(ctx context.Context, target, method string, alone bool, do func(p *process) (host.Outcome, error)) host.Outcome {
	s, err := h.lookup(host.KindTarget, target)
	if err != nil {
		return failed(err)
	}
	if problem := s.problem(target); problem != "" {
		return host.Outcome{Class: sdk.ClassMisconfigured, Message: problem}
	}
	var o host.Outcome
	err = s.call(ctx, method, alone, func(p *process) error {
		var err error
		o, err = do(p)
		return err
	})
	if err != nil {
		return failed(err)
	}
	return o
}

// failed is the outcome of an attempt whose call failed.
func failed(err error) host.Outcome {
	o := host.Outcome{Message: excerpt.Line(err.Error(), maxReason)}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errStopped):
		o.Class = sdk.ClassInterrupted
	case errors.Is(err, ErrCrashed):
		o.Class, o.Crashed = sdk.ClassUnavailable, true
	case errors.Is(err, ErrUnavailable):
		o.Class = sdk.ClassUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		o.Class = sdk.ClassRetryable
	case errors.Is(err, errTooLarge):
		o.Class = sdk.ClassPermanent
	default:
		o.Class = sdk.ClassPluginBug
	}
	return o
}

// Decode has a source turn a request into an event, within ctx. Errors match
// ErrUnavailable, ErrCrashed or ErrPluginBug, or are ctx's own when the plugin was
// reached and did not answer. The event has the request's id and the source's name.
func (h *Host) Decode(ctx context.Context, source string, r sdk.Request) (host.Decoded, error) {
	return h.decode(ctx, source, r, false)
}

// DecodeAlone is Decode while nothing else runs in the plugin's process, for
// requests that may have crashed it.
func (h *Host) DecodeAlone(ctx context.Context, source string, r sdk.Request) (host.Decoded, error) {
	return h.decode(ctx, source, r, true)
}

func (h *Host) decode(ctx context.Context, source string, r sdk.Request, alone bool) (host.Decoded, error) {
	s, err := h.lookup(host.KindSource, source)
	if err != nil {
		return host.Decoded{}, err
	}
	if problem := s.problem(source); problem != "" {
		return host.Decoded{}, fmt.Errorf("%w: %s", ErrUnavailable, problem)
	}
	var d host.Decoded
	err = s.call(ctx, "decode", alone, func(p *process) error {
		var err error
		d, err = p.client.Decode(ctx, source, r)
		return err
	})
	if errors.Is(err, errTooLarge) {
		err = fmt.Errorf("%w: %w", ErrPluginBug, err)
	}
	if err != nil || d.Event == nil {
		return d, err
	}
	if err := complete(&d, source, r); err != nil {
		return host.Decoded{}, fmt.Errorf("%w: %s: %w", ErrPluginBug, s.label(), err)
	}
	return d, nil
}

// complete checks an event and makes it the request's own, whatever the plugin
// called it.
func complete(d *host.Decoded, source string, r sdk.Request) error {
	e := d.Event
	if e.Type == "" || e.Title == "" {
		return errors.New("event without type or title")
	}
	if e.ID == r.ID && e.Source == source {
		return nil
	}
	e.ID, e.Source = r.ID, source
	// Not from Event: the plugin may know fields that this version does not.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(d.JSON, &fields); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	for key, value := range map[string]string{"id": r.ID, "source": source} {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("write event's %s: %w", key, err)
		}
		fields[key] = raw
	}
	var err error
	if d.JSON, err = json.Marshal(fields); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}
