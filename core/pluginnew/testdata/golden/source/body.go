package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// body is what a webhook says. Leave out what the source has no use for.
type body struct {
	Event   text `json:"event"`
	EventID text `json:"event_id"`
	Title   text `json:"title"`
	Item    struct {
		ID    text   `json:"id"`
		Kind  string `json:"kind"`
		Files []struct {
			Path string `json:"path"`
			Size int64  `json:"size"`
		} `json:"files"`
	} `json:"item"`
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
