package plugincheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// power is a feature, whose it may be, and how it is tried.
type power struct {
	feature sdk.Feature
	kinds   []host.Kind
	// try uses it. Its error of code UNIMPLEMENTED says that the plugin has it not.
	try func(c *check, ctx context.Context) (string, error)
	// plainCall: without the feature, a call of it is one as any other.
	plainCall bool
}

// powers are the features that can be tried from outside.
func powers() []power {
	targets, sources := []host.Kind{host.KindTarget}, []host.Kind{host.KindSource}
	return []power{
		{feature: sdk.FeatureGroup, kinds: targets, try: (*check).tryGroup, plainCall: true},
		{feature: sdk.FeatureEdit, kinds: targets, try: (*check).tryEdit, plainCall: true},
		{feature: sdk.FeatureRaw, kinds: targets, try: (*check).tryRaw, plainCall: true},
		{feature: sdk.FeatureTest, kinds: targets, try: (*check).tryTest},
		{feature: sdk.FeaturePreview, kinds: targets, try: (*check).tryPreview},
		{feature: sdk.FeatureVerify, kinds: targets, try: (*check).tryVerify},
		{feature: sdk.FeatureFetch, kinds: sources, try: (*check).tryFetch},
		{feature: sdk.FeatureHistory, kinds: sources, try: (*check).tryHistory},
		{feature: sdk.FeatureConnect, kinds: sources, try: (*check).tryConnect},
		{feature: sdk.FeatureSnapshot, kinds: sources, try: (*check).trySnapshot},
		{feature: sdk.FeatureFolders, kinds: []host.Kind{host.KindSource, host.KindTarget}, try: (*check).tryFolders},
		{feature: sdk.FeatureOptions, kinds: []host.Kind{host.KindSource, host.KindTarget}, try: (*check).tryOptions},
	}
}

// kindsOf returns the kinds of plugin that may have a feature, or nothing for an unknown one.
func kindsOf(f sdk.Feature) []host.Kind {
	for _, p := range powers() {
		if p.feature == f {
			return p.kinds
		}
	}
	return nil
}

// features are the rows of what a plugin of its kind may have.
func (c *check) features() []step {
	var steps []step
	for _, p := range powers() {
		if slices.Contains(p.kinds, c.report.Kind) {
			steps = append(steps, c.configured(string(p.feature), func(ctx context.Context) (string, error) { return c.tryPower(ctx, p) }))
		}
	}
	return steps
}

// tryPower uses a feature that is declared, and one that is not if that shows.
func (c *check) tryPower(ctx context.Context, p power) (string, error) {
	declared := slices.Contains(c.desc.Features, p.feature)
	if !declared && p.plainCall {
		if p.feature == sdk.FeatureRaw && c.info.NeedsOriginals {
			return "", errors.New("its instance needs original requests, and it does not declare the feature raw, without which there are none")
		}
		return "", skipf("not declared")
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	detail, err := p.try(c, ctx)
	missing := errors.Is(err, host.ErrUnsupported) || status.Code(err) == codes.Unimplemented
	switch {
	case declared && missing:
		return "", fmt.Errorf("it declares the feature %s and does not have it (%w): serve it, or leave it out of Describe's features", p.feature, err)
	case declared:
		return detail, err
	case missing, status.Code(err) == codes.FailedPrecondition:
		return "", skipf("not declared, and it says so when it is asked")
	case err == nil:
		c.warn("it has the feature %s and does not declare it: nothing makes use of it", p.feature)
		return "not declared", nil
	default:
		return "", fmt.Errorf("it does not declare the feature %s, and a call of it ends in %w: UNIMPLEMENTED is right", p.feature, err)
	}
}

// good says whether an outcome is as that of the first delivery.
func (c *check) good(o host.Outcome, err error) error {
	switch {
	case err != nil:
		return err
	case c.baseline == sdk.ClassOK && o.Class != sdk.ClassOK:
		return fmt.Errorf("it says %s: %s", o.Class, o.Message)
	default:
		return nil
	}
}

func (c *check) tryGroup(ctx context.Context) (string, error) {
	if c.info.SingleEvents {
		return "", skipf("this instance wants single events")
	}
	events := make([]map[string]any, 3)
	for i := range events {
		events[i] = sampleEvent()
		events[i]["id"], events[i]["title"] = strconv.Itoa(i), fmt.Sprintf("%s, part %d", sampleTitle, i+1)
	}
	o, err := c.client.Deliver(ctx, instance, delivery(100, events...))
	if err := c.good(o, err); err != nil {
		return "", fmt.Errorf("a delivery of %d events: %w", len(events), err)
	}
	return fmt.Sprintf("takes a delivery of %d events", len(events)), nil
}

func (c *check) tryEdit(ctx context.Context) (string, error) {
	// What it cannot know must not break it.
	strange := delivery(110, sampleEvent())
	strange.Previous = &sdk.Receipt{MessageID: "0", State: []byte("\x00of another version")}
	if _, err := c.client.Deliver(ctx, instance, strange); err != nil {
		return "", fmt.Errorf("a delivery with the receipt of another version: %w", err)
	}
	if c.baseline != sdk.ClassOK || c.receipt.MessageID == "" {
		return "", skipf("the check's endpoint names no message that could be edited")
	}
	d := delivery(111, sampleEvent())
	d.Previous = &c.receipt
	o, err := c.client.Deliver(ctx, instance, d)
	if err := c.good(o, err); err != nil {
		return "", fmt.Errorf("a delivery with the receipt of the one before: %w", err)
	}
	if o.Receipt.MessageID == "" {
		return "", errors.New("the receipt of an edit has no message_id, so that there would be no second edit")
	}
	return "replaces message " + fmt.Sprintf("%.40q", c.receipt.MessageID), nil
}

func (c *check) tryRaw(ctx context.Context) (string, error) {
	d := delivery(120, sampleEvent())
	d.Originals = []sdk.Request{{Method: "POST", Body: []byte(`{"eventType":"Download"}`), ReceivedAt: time.Unix(1_700_000_000, 0)}}
	o, err := c.client.Deliver(ctx, instance, d)
	if err := c.good(o, err); err != nil {
		return "", fmt.Errorf("a delivery with the original request: %w", err)
	}
	if c.info.NeedsOriginals {
		return "takes a delivery with its original request, which this instance needs", nil
	}
	return "takes a delivery with its original request", nil
}

func (c *check) tryTest(ctx context.Context) (string, error) {
	event := delivery(0, sampleEvent()).Events[0]
	for _, e := range []json.RawMessage{nil, event} {
		before, _ := c.endpoint.requests()
		o, err := c.client.Test(ctx, instance, e)
		if err := c.good(o, err); err != nil {
			return "", err
		}
		if after, _ := c.endpoint.requests(); c.reached && after == before {
			return "", errors.New("a test sends nothing to the endpoint, and so proves nothing")
		}
	}
	return "tests its endpoint, with its own event and with another", nil
}

func (c *check) tryPreview(ctx context.Context) (string, error) {
	before, _ := c.endpoint.requests()
	p, err := c.client.Preview(ctx, instance, delivery(130, sampleEvent()))
	if after, last := c.endpoint.requests(); after != before {
		return "", fmt.Errorf("a preview sends %s to the endpoint: send nothing when preview is set", last)
	}
	if errors.Is(err, host.ErrNothingToSend) && (!c.reached || c.baseline != sdk.ClassOK) {
		return "", skipf("it would send nothing: %v", err)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("shows %s and sends nothing", p.Method), nil
}

func (c *check) tryVerify(ctx context.Context) (string, error) {
	o, err := c.client.Verify(ctx, instance, delivery(140, sampleEvent()), c.receipt, true)
	if err := c.sane(err); err != nil {
		return "", err
	}
	if err == nil && o.Class == sdk.ClassOK && o.Receipt.VerifyAfter > 0 {
		return "", errors.New("it says \"not yet\" when it is asked for the last time: answer CLASS_PERMANENT and why")
	}
	return "answers when it is asked for the last time", nil
}

// sane passes over what an endpoint that is not its own may lead to.
func (c *check) sane(err error) error {
	switch status.Code(err) {
	case codes.OK, codes.Unavailable, codes.Aborted:
		return nil
	default:
		return err
	}
}

// asked is how a power of another service is tried: what the check's endpoint answers is not
// what it needs, so that all it can show is that it copes.
func (c *check) asked(err error) (string, error) {
	if err := c.sane(err); err != nil {
		return "", err
	}
	if err != nil {
		return fmt.Sprintf("copes with an endpoint that is not its own: %.120s", status.Convert(errors.Unwrap(err)).Message()), nil
	}
	return "answers", nil
}

func (c *check) tryFetch(ctx context.Context) (string, error) {
	_, err := c.client.Fetch(ctx, instance, delivery(0, sampleEvent()).Events[0])
	return c.asked(err)
}

func (c *check) tryHistory(ctx context.Context) (string, error) {
	_, err := c.client.History(ctx, instance, sdk.HistoryQuery{Since: time.Unix(1_700_000_000, 0), Limit: 10})
	return c.asked(err)
}

func (c *check) tryConnect(ctx context.Context) (string, error) {
	_, err := c.client.Connect(ctx, instance, sdk.ConnectRequest{Action: sdk.ConnectCheck, URL: "http://127.0.0.1:9/hooks"})
	return c.asked(err)
}

func (c *check) trySnapshot(ctx context.Context) (string, error) {
	_, err := c.client.Snapshot(ctx, instance, sdk.SnapshotQuery{Limit: 10})
	return c.asked(err)
}

func (c *check) tryFolders(ctx context.Context) (string, error) {
	_, err := c.client.Folders(ctx, instance, sdk.FoldersQuery{Sample: 5})
	return c.asked(err)
}

func (c *check) tryOptions(ctx context.Context) (string, error) {
	var keys []string
	for _, k := range c.desc.OptionKeys() {
		keys = append(keys, k.Key)
	}
	if !slices.Contains(c.desc.Features, sdk.FeatureOptions) {
		keys = []string{"check"}
	}
	if len(keys) == 0 {
		return "", errors.New("it declares the feature options, and no key of its schema has x-hookarr-options: true")
	}
	for _, key := range keys {
		if _, err := c.client.Options(ctx, host.Instance{Name: instance, Config: c.config}, key); c.sane(err) != nil {
			return "", fmt.Errorf("the values of %s: %w", key, err)
		}
	}
	return "answers for " + strings.Join(keys, ", "), nil
}
