package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// target has every power of a target that hosts use.
type target struct{ *plugin }

func (t target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.deliver(ctx, d)
}

func (t target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	if d.Event.Source == sdk.SourceHookarr {
		return t.env.HTTP.PostJSON(ctx, t.config.URL, d.Event.Summary)
	}
	return t.deliver(ctx, d)
}

// Verify tells of the proof once it was asked for it often enough. How often that was is the
// state of its receipts.
func (t target) Verify(_ context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	if d.Event.Title == "lost" {
		return sdk.Receipt{}, sdk.Redeliver(errors.New("the endpoint has lost it"))
	}
	asked, _ := strconv.Atoi(string(d.Accepted.State))
	if asked++; asked < t.config.Prove && !d.Final {
		return t.toProve(asked), nil
	}
	e := sdk.Event{
		Type: sdk.TypeLibraryAvailable, Title: d.Event.Title, Summary: d.Event.Title + " is there", CorrelationKey: "proof of " + d.Event.ID,
		Library: &sdk.Library{Server: "Chaos"},
	}
	return sdk.Receipt{Status: 200, MessageID: "proof-" + d.ID, Events: []sdk.Event{e}}, nil
}

func (p *plugin) toProve(asked int) sdk.Receipt {
	return sdk.Receipt{
		Status: 202, State: []byte(strconv.Itoa(asked)), VerifyAfter: 50 * time.Millisecond,
		Waits: fmt.Sprintf("asked %d of %d times", asked, p.config.Prove),
	}
}

func (p *plugin) deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	running.Add(1)
	defer running.Add(-1)
	p.sign("arrived-" + d.ID)
	what, arg, _ := strings.Cut(cmp.Or(p.config.Do, d.Event.Title), " ")
	switch what {
	case "host":
		return sdk.Receipt{Status: 200, Excerpt: fmt.Sprint(p.env.Host)}, nil
	case "post":
		return p.env.HTTP.PostJSON(ctx, p.config.URL, arg)
	case "fallback":
		receipt, err := p.env.HTTP.PostJSON(ctx, p.config.URL, arg)
		receipt.Fallback = "the template failed:\nused " + arg
		return receipt, err
	case "env":
		return sdk.Receipt{Status: 200, Excerpt: strings.Join(names(os.Environ()), " ")}, nil
	case "tmpdir":
		return sdk.Receipt{Status: 200, Excerpt: os.TempDir()}, nil
	case "size":
		return sdk.Receipt{Status: 200, Excerpt: strconv.Itoa(len(d.JSON[0]))}, nil
	case "peak":
		return sdk.Receipt{Status: 200, Excerpt: strconv.Itoa(peak())}, nil
	case "permanent":
		return sdk.Receipt{Status: 400, Excerpt: "no"}, sdk.Permanent(errors.New("never again"))
	case "throttled":
		return sdk.Receipt{Status: 429}, sdk.Throttled(90*time.Second, errors.New("slow down"))
	case "wait":
		return sdk.Receipt{Status: 200}, p.wait(ctx)
	case "log":
		p.env.Log.Warn("careful", "answer", 42, "plugin", "forged")
	default:
		p.misbehave(what, arg)
	}
	if p.config.Prove > 0 {
		return p.toProve(0), nil
	}
	return sdk.Receipt{Status: 200, Excerpt: "done"}, nil
}
