package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// body is what a webhook says. Leave out what the source has no use for.
type body struct {
	EventType  text `json:"eventType"`
	DeliveryID text `json:"delivery_id"`
	Movie      struct {
		ID     text     `json:"id"`
		Title  text     `json:"title"`
		Year   int64    `json:"year"`
		Rating float64  `json:"rating"`
		Tags   []string `json:"tags"`
		Images []struct {
			URL  string `json:"url"`
			Kind string `json:"kind"`
		} `json:"images"`
	} `json:"movie"`
	DownloadID     text            `json:"downloadId"`
	APIKey         string          `json:"apiKey"`
	ApplicationURL string          `json:"applicationUrl"`
	IsManual       bool            `json:"isManual"`
	Extra          json.RawMessage `json:"extra"`
}

// readBody reads a body of which some keys may be absent or have other types than
// expected: they are as if they were not there. The error is for what is no object.
func readBody(data []byte, b *body) error {
	err := json.Unmarshal(data, b)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mistyped.Field != "" {
		return nil // the rest has been read
	}
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	return nil
}

// text is what may come as a string or as a number. Anything else is empty.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	var word string
	var number json.Number
	if json.Unmarshal(data, &word) == nil {
		*t = text(word)
	} else if json.Unmarshal(data, &number) == nil {
		*t = text(number)
	}
	return nil
}
