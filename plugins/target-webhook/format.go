package webhook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hookarr/hookarr/plugins/target-webhook/internal/arrhook"
	"github.com/hookarr/hookarr/plugins/target-webhook/internal/fields"
	"github.com/hookarr/hookarr/sdk"
)

// The formats of a body.
const (
	formatStandard    = "standard"
	formatCloudEvents = "cloudevents"
	formatRaw         = "raw"
	formatArr         = "arr"
)

// content is what a request carries. It is the same for every attempt.
type content struct {
	body      []byte
	mediaType string
	// agent is the program that wrote the body.
	agent string
	// event is the type of the event.
	event string
	// header is what a template makes of the event.
	header http.Header
	// fallback says why a template was not used.
	fallback string
}

// writer writes a delivery in one format.
type writer func(d sdk.Delivery) (content, error)

func (c config) writer(filter fields.Filter) writer {
	switch w := (events{filter}); c.Format {
	case formatCloudEvents:
		return w.cloudEvents
	case formatRaw:
		return raw
	case formatArr:
		return asApplication
	case formatTemplate:
		return templates{events: w, all: c.Template, byType: c.Templates}.write
	default:
		return w.standard
	}
}

// typeGroup is the type of a body that has several events.
const typeGroup = "group"

// typeOf is the type of what a delivery tells.
func typeOf(d sdk.Delivery) string {
	if len(d.Events) > 1 {
		return typeGroup
	}
	return string(d.Event.Type)
}

// alone refuses a group, for formats that have one event. The delivery will never be
// other than it is: it becomes a dead letter, which can be replayed.
func alone(d sdk.Delivery, format string) error {
	if n := len(d.Events); n > 1 {
		return sdk.Permanent(fmt.Errorf("the format %s is of one event, and this is a group of %d: take group out of the routes to this target, and replay the events", format, n))
	}
	return nil
}

// raw is the application's own request.
func raw(d sdk.Delivery) (content, error) {
	if err := alone(d, formatRaw); err != nil {
		return content{}, err
	}
	if len(d.Originals) == 0 {
		return content{}, errors.New("the delivery came without the original request")
	}
	original := d.Originals[0]
	return content{
		body:      original.Body,
		mediaType: cmp.Or(original.Header.Get("Content-Type"), "application/octet-stream"),
		// The Arr apps tell their version in the User-Agent alone.
		agent: cmp.Or(original.Header.Get("User-Agent"), ownAgent),
		event: string(d.Event.Type),
	}, nil
}

// asApplication is the event as its application would have sent it. The original is not
// looked at: what came by webhook and what came from a history look alike.
func asApplication(d sdk.Delivery) (content, error) {
	if err := alone(d, formatArr); err != nil {
		return content{}, err
	}
	body, err := arrhook.Render(d.Event)
	return content{
		body: body, mediaType: mediaTypeJSON, event: string(d.Event.Type),
		agent: cmp.Or(arrhook.UserAgent(d.Event, "hookarr "+version), ownAgent),
	}, err
}

// events writes events in the published form, without what the filter leaves out.
type events struct{ filter fields.Filter }

// data returns event n of a delivery, as it came unless something is left out.
func (w events) data(d sdk.Delivery, n int) (data []byte, err error) {
	if n < len(d.JSON) {
		data = d.JSON[n]
	} else if data, err = json.Marshal(eventAt(d, n)); err != nil {
		return nil, err
	}
	return w.filter.Apply(data)
}

// eventAt is event n of a delivery, which may have the first alone.
func eventAt(d sdk.Delivery, n int) sdk.Event {
	if n < len(d.Events) {
		return d.Events[n]
	}
	return d.Event
}

// envelope is the payload that the Standard Webhooks specification recommends, but for
// the data.
type envelope struct {
	Type      sdk.Type  `json:"type"`
	Timestamp time.Time `json:"timestamp"`
}

// standard has the event as data. Of a group the type is group, the timestamp the last
// event's, and the data an object with the key that the events share, if there is one,
// and the events, oldest first.
func (w events) standard(d sdk.Delivery) (content, error) {
	e := envelope{Type: d.Event.Type, Timestamp: d.Event.Time}
	var data []byte
	var err error
	if len(d.Events) > 1 {
		e = envelope{Type: typeGroup, Timestamp: d.Events[len(d.Events)-1].Time}
		data, err = w.group(d)
	} else {
		data, err = w.data(d, 0)
	}
	if err != nil {
		return content{}, err
	}
	body, err := withField(e, "data", data)
	return content{body: body, mediaType: mediaTypeJSON, agent: ownAgent, event: typeOf(d)}, err
}

func (w events) group(d sdk.Delivery) ([]byte, error) {
	all, err := array(d, w.data)
	if err != nil {
		return nil, err
	}
	return withField(struct {
		Key string `json:"key,omitempty"`
	}{d.CorrelationKey}, "events", all)
}

// array writes every event of a delivery.
func array(d sdk.Delivery, write func(d sdk.Delivery, n int) ([]byte, error)) ([]byte, error) {
	all := []byte{'['}
	for i := range d.Events {
		one, err := write(d, i)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, one...)
	}
	return append(all, ']'), nil
}

// cloudEvent is an event, but for the data, in structured mode by the JSON format of CloudEvents 1.0,
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.
// The source and the id together identify it: a receiver sees by them that two
// deliveries tell of the same event.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
}

// typePrefix makes the event types unique in the world, as CloudEvents asks for.
const typePrefix = "com.github.hookarr."

// cloudEvents is the event in structured mode, or of a group all events in batched mode.
func (w events) cloudEvents(d sdk.Delivery) (content, error) {
	if len(d.Events) <= 1 {
		body, err := w.cloudEvent(d, 0)
		return content{body: body, mediaType: "application/cloudevents+json", agent: ownAgent, event: typeOf(d)}, err
	}
	body, err := array(d, w.cloudEvent)
	return content{body: body, mediaType: "application/cloudevents-batch+json", agent: ownAgent, event: typeOf(d)}, err
}

func (w events) cloudEvent(d sdk.Delivery, n int) ([]byte, error) {
	event := eventAt(d, n)
	data, err := w.data(d, n)
	if err != nil {
		return nil, err
	}
	return withField(cloudEvent{
		SpecVersion: "1.0",
		ID:          event.ID,
		Source:      "/hooks/" + url.PathEscape(event.Source),
		Type:        typePrefix + string(event.Type),
		Subject:     event.Title,
		Time:        event.Time,
		// Data is JSON either way; saying so costs receivers no guess.
		DataContentType: mediaTypeJSON,
	}, "data", data)
}

// withField writes an object with one more field at its end, as it is: an event with
// fields that this plugin does not know. As a json.RawMessage inside of v it would be
// read once more to be written: 9 instead of 2 µs for an import of 1.2 KB, on a busy
// core of an AMD EPYC.
func withField(v any, name string, data []byte) ([]byte, error) {
	head, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, len(head)+len(name)+len(data)+4)
	body = append(body, head[:len(head)-1]...)
	if len(head) > len("{}") {
		body = append(body, ',')
	}
	body = append(body, '"')
	body = append(body, name...)
	body = append(body, `":`...)
	body = append(body, data...)
	return append(body, '}'), nil
}
