package host

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/feature"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// Bounds of what a plugin may say, in bytes. The contract has all but the first; a
// plugin that keeps to it loses nothing.
const (
	maxName    = 256
	maxMessage = 1 << 10
	maxExcerpt = 4 << 10
	maxState   = 4 << 10
	// maxSentBody bounds the body of a request that was sent, maxSentHeaders how many
	// headers it has, and values each.
	maxSentBody    = 16 << 10
	maxSentHeaders = 64
)

// maxFeatures bounds the features that a plugin declares.
const maxFeatures = 100

// maxTypes bounds the event types that a plugin lists, and the application's words for
// each.
const maxTypes = 100

// maxProblems bounds the problems of one answer, its warnings and its changes each.
const maxProblems = 1000

// maxEvent bounds an event's JSON, in bytes: as much as the largest request.
const maxEvent = 16 << 20

// maxPause bounds every pause that a plugin asks for. It is longer than any
// delivery lives.
const maxPause = 30 * 24 * time.Hour

func toInstance(in Instance) *pluginv1.Instance {
	config := in.Config
	if len(config) == 0 {
		config = []byte("{}")
	}
	return &pluginv1.Instance{Name: in.Name, Config: config}
}

func toRequest(r sdk.Request) *pluginv1.OriginalRequest {
	return &pluginv1.OriginalRequest{
		Method:     r.Method,
		Headers:    toHeaders(r.Header),
		Query:      r.Query.Encode(),
		Body:       r.Body,
		ReceivedAt: timestamppb.New(r.ReceivedAt),
	}
}

func toHeaders(h http.Header) []*pluginv1.Header {
	headers := make([]*pluginv1.Header, 0, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		values := make([]string, 0, len(h[name]))
		for _, v := range h[name] {
			// HTTP allows bytes that protobuf's strings do not.
			values = append(values, valid(v))
		}
		headers = append(headers, &pluginv1.Header{Name: name, Values: values})
	}
	return headers
}

func toDelivery(instance string, d Delivery) *pluginv1.DeliverRequest {
	req := &pluginv1.DeliverRequest{
		Instance:       instance,
		DeliveryId:     d.ID,
		Attempt:        uint32(max(d.Attempt, 0)),
		Route:          d.Route,
		CorrelationKey: d.CorrelationKey,
		Record:         d.Record,
	}
	for _, e := range d.Events {
		req.Events = append(req.Events, e)
	}
	for _, r := range d.Originals {
		req.Originals = append(req.Originals, toRequest(r))
	}
	if d.Previous != nil {
		req.Previous = &pluginv1.Receipt{MessageId: d.Previous.MessageID, State: d.Previous.State}
	}
	return req
}

func fromDescription(r *pluginv1.DescribeResponse) Description {
	d := Description{
		Name:            line(r.GetName(), maxName),
		Version:         line(r.GetVersion(), maxName),
		Summary:         line(r.GetSummary(), maxMessage),
		SDKVersion:      line(r.GetSdkVersion(), maxName),
		ProtocolVersion: int(r.GetProtocolVersion()),
		ConfigSchema:    r.GetConfigSchema(),
		Offline:         r.GetOffline(),
		Defaults: sdk.Defaults{
			Concurrency: count(r.GetDefaults().GetConcurrency()),
			Rate:        rate(r.GetDefaults().GetRate().GetPerSecond()),
			Burst:       count(r.GetDefaults().GetRate().GetBurst()),
			Group: sdk.GroupDefaults{
				Wait:    pause(r.GetDefaults().GetGroup().GetWait()),
				MaxWait: pause(r.GetDefaults().GetGroup().GetMaxWait()),
				Max:     count(r.GetDefaults().GetGroup().GetMax()),
				By:      line(r.GetDefaults().GetGroup().GetBy(), maxMessage),
				On:      r.GetDefaults().GetGroup().GetOn(),
			},
			FoldUpgrades: r.GetDefaults().GetFoldUpgrades(),
		},
	}
	switch r.GetKind() {
	case pluginv1.Kind_KIND_SOURCE:
		d.Kind = KindSource
	case pluginv1.Kind_KIND_TARGET:
		d.Kind = KindTarget
	default:
	}
	for _, f := range first(r.GetFeatures(), maxFeatures) {
		if name := feature.Name(f); name != "" {
			d.Features = append(d.Features, sdk.Feature(name))
		}
	}
	for _, t := range first(r.GetEventTypes(), maxTypes) {
		d.EventTypes = append(d.EventTypes, fromEventType(t))
	}
	return d
}

func fromEventType(t *pluginv1.EventType) sdk.EventType {
	typ := sdk.EventType{Type: sdk.Type(line(t.GetType(), maxName))}
	for _, native := range first(t.GetNativeTypes(), maxTypes) {
		typ.Native = append(typ.Native, line(native, maxName))
	}
	return typ
}

// toHostInfo leaves out what the program does not say.
func toHostInfo(h sdk.HostInfo) *pluginv1.HostInfo {
	if h.Version == "" && len(h.Features) == 0 {
		return nil
	}
	info := &pluginv1.HostInfo{Version: h.Version}
	for _, f := range h.Features {
		info.Features = append(info.Features, feature.Of(string(f)))
	}
	return info
}

func fromProblems(problems []*pluginv1.Problem) []Problem {
	problems = first(problems, maxProblems)
	all := make([]Problem, 0, len(problems))
	for _, p := range problems {
		all = append(all, Problem{
			Instance: line(p.GetInstance(), maxName),
			Key:      line(p.GetKey(), maxName),
			Message:  line(p.GetMessage(), maxMessage),
		})
	}
	return all
}

func fromOutcome(r *pluginv1.DeliverResponse) Outcome {
	o := Outcome{
		Class:      fromClass(r.GetClass()),
		RetryAfter: pause(r.GetRetryAfter()),
		Message:    line(r.GetMessage(), maxMessage),
		Receipt: sdk.Receipt{
			Excerpt:  text(r.GetExcerpt(), maxExcerpt),
			Fallback: line(r.GetFallback(), maxMessage),
		},
	}
	if s := r.GetStatus(); s >= 100 && s <= 999 {
		o.Receipt.Status = int(s)
	}
	// Half an id is none, and half a state cannot be read back.
	if id := r.GetReceipt().GetMessageId(); len(id) <= maxMessage && id == line(id, maxMessage) {
		o.Receipt.MessageID = id
	}
	if state := r.GetReceipt().GetState(); len(state) <= maxState {
		o.Receipt.State = state
	}
	if l := r.GetLearntRate(); l != nil {
		o.Receipt.Limit = &sdk.Limit{Remaining: count(l.GetRemaining()), ResetAfter: pause(l.GetResetAfter())}
	}
	if o.Class == sdk.ClassOK {
		o.Receipt.VerifyAfter, o.Receipt.Waits = pause(r.GetVerifyAfter()), line(r.GetWaits(), maxMessage)
	}
	o.Receipt.ProveWithin = pause(r.GetProveWithin())
	o.Redeliver = r.GetRedeliver() && o.Class == sdk.ClassRetryable
	o.Events = fromHandedBack(r.GetEvents())
	if n := len(r.GetRequests()); n > 0 {
		sent := fromSent(r.GetRequests()[n-1])
		o.Sent = &sent
	}
	switch {
	case o.Class == sdk.ClassOK:
		o.Message = ""
	case o.Message == "":
		o.Message = "the plugin gave no reason"
	}
	return o
}

func fromSent(r *pluginv1.SentRequest) Request {
	sent := Request{
		Method:    line(r.GetMethod(), maxName),
		URL:       line(r.GetUrl(), maxMessage),
		Header:    http.Header{},
		Truncated: r.GetTruncated() || len(r.GetBody()) > maxSentBody,
		Body:      text(strings.ToValidUTF8(string(r.GetBody()[:min(len(r.GetBody()), maxSentBody)]), "\uFFFD"), maxSentBody),
	}
	for _, h := range first(r.GetHeaders(), maxSentHeaders) {
		name := line(h.GetName(), maxName)
		for _, v := range first(h.GetValues(), maxSentHeaders) {
			sent.Header[name] = append(sent.Header[name], line(v, maxMessage))
		}
	}
	return sent
}

func fromClass(c pluginv1.Class) sdk.Class {
	switch c {
	case pluginv1.Class_CLASS_OK:
		return sdk.ClassOK
	case pluginv1.Class_CLASS_THROTTLED:
		return sdk.ClassThrottled
	case pluginv1.Class_CLASS_PERMANENT:
		return sdk.ClassPermanent
	case pluginv1.Class_CLASS_MISCONFIGURED:
		return sdk.ClassMisconfigured
	default:
		return sdk.ClassRetryable
	}
}

// pause returns a duration between 0 and maxPause.
func pause(d *durationpb.Duration) time.Duration {
	return min(max(d.AsDuration(), 0), maxPause)
}

// count returns a number that every database and platform can hold.
func count(n uint32) int { return int(min(n, math.MaxInt32)) }

// rate returns a number of deliveries a second, or zero for what is none.
func rate(perSecond float64) float64 {
	if math.IsNaN(perSecond) || math.IsInf(perSecond, 0) {
		return 0
	}
	return max(perSecond, 0)
}

// reason returns one line that is never empty, so that a decoded request always
// says what it is.
func reason(s string) string {
	if s = line(s, maxMessage); s == "" {
		return "the plugin gave no reason"
	}
	return s
}

// first returns the beginning of a list.
func first[T any](all []T, limit int) []T { return all[:min(len(all), limit)] }

// line returns s on one line, without control characters and those that turn the
// direction of the text around them, in at most limit bytes.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		default:
			return r
		}
	}, cut(s, limit))
	return strings.TrimSpace(s)
}

// text returns s without NUL, which Postgres cannot store, in at most limit bytes.
func text(s string, limit int) string {
	return strings.ReplaceAll(cut(s, limit), "\x00", "")
}

// cut returns at most limit bytes of s, and whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// valid is s with what is not UTF-8 replaced, which protobuf's strings cannot hold.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func validMap(m map[string]string) map[string]string {
	valided := make(map[string]string, len(m))
	for k, v := range m {
		valided[valid(k)] = valid(v)
	}
	return valided
}
