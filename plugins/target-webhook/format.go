package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// The formats of a body.
const (
	formatStandard    = "standard"
	formatCloudEvents = "cloudevents"
	formatRaw         = "raw"
)

// envelope is the payload that the Standard Webhooks specification recommends. The
// event is passed on as it came, with fields that this plugin does not know.
type envelope struct {
	Type      sdk.Type        `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// cloudEvent is an event in structured mode by the JSON format of CloudEvents 1.0,
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.
// The source and the id together identify it: a receiver sees by them that two
// deliveries tell of the same event.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// typePrefix makes the event types unique in the world, as CloudEvents asks for.
const typePrefix = "com.github.hookarr."

// content returns the body of a delivery, its media type and the agent that wrote it.
// It is the same for every attempt.
func content(format string, d sdk.Delivery) (body []byte, mediaType, agent string, err error) {
	if format == formatRaw {
		if len(d.Originals) == 0 {
			return nil, "", "", errors.New("the delivery came without the original request")
		}
		original := d.Originals[0]
		// The Arr apps tell their version in the User-Agent alone.
		agent = cmp.Or(original.Header.Get("User-Agent"), ownAgent)
		return original.Body, cmp.Or(original.Header.Get("Content-Type"), "application/octet-stream"), agent, nil
	}
	body, mediaType, err = written(format, d)
	return body, mediaType, ownAgent, err
}

// written returns an event as one of the formats that Hookarr writes itself.
func written(format string, d sdk.Delivery) (body []byte, mediaType string, err error) {
	event := d.Event
	var data json.RawMessage
	if len(d.JSON) > 0 {
		data = d.JSON[0]
	} else if data, err = json.Marshal(event); err != nil {
		return nil, "", err
	}
	if format == formatCloudEvents {
		body, err = json.Marshal(cloudEvent{
			SpecVersion: "1.0",
			ID:          event.ID,
			Source:      "/hooks/" + url.PathEscape(event.Source),
			Type:        typePrefix + string(event.Type),
			Subject:     event.Title,
			Time:        event.Time,
			// Data is JSON either way; saying so costs receivers no guess.
			DataContentType: "application/json",
			Data:            data,
		})
		return body, "application/cloudevents+json", err
	}
	body, err = json.Marshal(envelope{Type: event.Type, Timestamp: event.Time, Data: data})
	return body, "application/json", err
}
