package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/internal/feature"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

func (id identity) describe() *pluginv1.DescribeResponse {
	d := id.Defaults
	resp := &pluginv1.DescribeResponse{
		Name:            id.Name,
		Kind:            id.kind,
		Version:         id.Version,
		Summary:         id.Summary,
		SdkVersion:      Version,
		ProtocolVersion: ProtocolVersion,
		ConfigSchema:    id.schema.JSON(),
		Offline:         id.Offline,
		Defaults: &pluginv1.Defaults{
			Concurrency: count(d.Concurrency),
			Rate:        &pluginv1.Rate{PerSecond: max(d.Rate, 0), Burst: count(d.Burst)},
			Group: &pluginv1.Group{
				Wait:    durationpb.New(d.Group.Wait),
				MaxWait: durationpb.New(d.Group.MaxWait),
				Max:     count(d.Group.Max),
				By:      d.Group.By,
				On:      d.Group.On,
			},
			FoldUpgrades: d.FoldUpgrades,
		},
	}
	for _, f := range id.Features {
		resp.Features = append(resp.Features, feature.Of(string(f)))
	}
	for _, t := range id.EventTypes {
		resp.EventTypes = append(resp.EventTypes, &pluginv1.EventType{Type: string(t.Type), NativeTypes: t.Native})
	}
	return resp
}

func toHostInfo(h *pluginv1.HostInfo) HostInfo {
	info := HostInfo{Version: h.GetVersion()}
	for _, f := range h.GetFeatures() {
		if name := feature.Name(f); name != "" {
			info.Features = append(info.Features, Feature(name))
		}
	}
	return info
}

func toProblem(instance string, p config.Problem) *pluginv1.Problem {
	return &pluginv1.Problem{Instance: instance, Key: cut(p.Key, maxMessage), Message: cut(p.Message, maxMessage)}
}

func toClass(c Class) pluginv1.Class {
	switch c {
	case ClassOK:
		return pluginv1.Class_CLASS_OK
	case ClassThrottled:
		return pluginv1.Class_CLASS_THROTTLED
	case ClassPermanent:
		return pluginv1.Class_CLASS_PERMANENT
	case ClassMisconfigured:
		return pluginv1.Class_CLASS_MISCONFIGURED
	default:
		return pluginv1.Class_CLASS_RETRYABLE
	}
}

func fromRequest(id string, r *pluginv1.OriginalRequest) Request {
	header := make(http.Header, len(r.GetHeaders()))
	for _, h := range r.GetHeaders() {
		for _, v := range h.GetValues() {
			header.Add(h.GetName(), v)
		}
	}
	// Whatever of a query can be read, is.
	query, _ := url.ParseQuery(r.GetQuery())
	return Request{
		ID:         id,
		Method:     r.GetMethod(),
		Header:     header,
		Query:      query,
		Body:       r.GetBody(),
		ReceivedAt: r.GetReceivedAt().AsTime(),
	}
}

// readEvent reads an event of a delivery, whole or only what a JSONUser gets.
func readEvent(data []byte, whole bool) (e Event, err error) {
	if whole {
		return e, json.Unmarshal(data, &e)
	}
	var brief struct {
		ID     string    `json:"id"`
		Source string    `json:"source"`
		Type   Type      `json:"type"`
		Time   time.Time `json:"time"`
		Title  string    `json:"title"`
	}
	err = json.Unmarshal(data, &brief)
	return Event{ID: brief.ID, Source: brief.Source, Type: brief.Type, Time: brief.Time, Title: brief.Title}, err
}

func fromDelivery(r *pluginv1.DeliverRequest, whole bool) (Delivery, error) {
	d := Delivery{
		ID:             r.GetDeliveryId(),
		Attempt:        int(r.GetAttempt()),
		Route:          r.GetRoute(),
		CorrelationKey: r.GetCorrelationKey(),
		Events:         make([]Event, 0, len(r.GetEvents())),
		JSON:           make([]json.RawMessage, 0, len(r.GetEvents())),
	}
	for i, data := range r.GetEvents() {
		e, err := readEvent(data, whole)
		if err != nil {
			return Delivery{}, fmt.Errorf("event %d of the delivery is not one: %w", i, err)
		}
		d.Events = append(d.Events, e)
		d.JSON = append(d.JSON, data)
	}
	if len(d.Events) == 0 {
		return Delivery{}, errors.New("the delivery has no event")
	}
	d.Event = d.Events[0]
	for i, original := range r.GetOriginals() {
		id := ""
		if i < len(d.Events) {
			id = d.Events[i].ID
		}
		d.Originals = append(d.Originals, fromRequest(id, original))
	}
	if p := r.GetPrevious(); p != nil {
		d.Previous = &Receipt{MessageID: p.GetMessageId(), State: p.GetState()}
	}
	return d, nil
}

// toOutcome writes what became of an attempt, redacted and within the bounds of the
// contract.
func toOutcome(receipt Receipt, err error, r redactor) *pluginv1.DeliverResponse {
	if s := receipt.Status; err == nil && s > 0 && !receipt.Accepted {
		err = Classify(&http.Response{StatusCode: s})
	}
	class, after := ClassOf(err)
	resp := &pluginv1.DeliverResponse{
		Class:   toClass(class),
		Status:  count(receipt.Status),
		Excerpt: r.excerpt(receipt.Excerpt),
	}
	if err != nil {
		resp.Message = r.line(err.Error())
	}
	if after > 0 {
		resp.RetryAfter = durationpb.New(after)
	}
	// Half an id is another's, and half a state could not be read back: such a message is
	// one that cannot be edited.
	fits := len(receipt.MessageID) <= maxMessage && len(receipt.State) <= maxState
	if fits && (receipt.MessageID != "" || len(receipt.State) > 0) {
		resp.Receipt = &pluginv1.Receipt{MessageId: cut(receipt.MessageID, maxMessage), State: receipt.State}
	}
	if err == nil {
		resp.Fallback = r.line(receipt.Fallback)
	}
	if receipt.VerifyAfter > 0 && err == nil {
		resp.VerifyAfter = durationpb.New(receipt.VerifyAfter)
		resp.Waits = r.line(receipt.Waits)
	}
	if receipt.ProveWithin > 0 {
		resp.ProveWithin = durationpb.New(receipt.ProveWithin)
	}
	resp.Redeliver = AsksToRedeliver(err)
	if l := receipt.Limit; l != nil {
		resp.LearntRate = &pluginv1.LearntRate{Remaining: count(l.Remaining), ResetAfter: durationpb.New(max(l.ResetAfter, 0))}
	}
	return resp
}

// count is n within the bounds of the contract: cut off, it could become a small number
// or none.
func count(n int) uint32 { return uint32(min(max(n, 0), math.MaxInt32)) }

// completeEvent fills in what the author left to the SDK and refuses an event that
// nobody could route or show.
func completeEvent(e *Event, instance, id string, origin Origin, at time.Time) error {
	if e.Type == "" || e.Title == "" {
		return fmt.Errorf("the event has no type or no title: type %q, title %q", e.Type, e.Title)
	}
	if e.ID == "" {
		e.ID = id
	}
	if e.Source == "" {
		e.Source = instance
	}
	if e.Origin == "" {
		e.Origin = origin
	}
	if e.Time.IsZero() {
		e.Time = at
	}
	e.Time = e.Time.UTC()
	return nil
}

// validText is s with what is not UTF-8, which protobuf's strings cannot hold, replaced: a
// path may be any bytes.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
