package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// target keeps one catalogue.
type target struct{ keeper keeper }

var _ sdk.Tester = (*target)(nil)

// Deliver implements sdk.Target.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	events, err := readable(d)
	if err != nil {
		return sdk.Receipt{}, sdk.Permanent(err)
	}
	return sdk.Receipt{}, t.keeper.Keep(ctx, d.ID, events)
}

// Test implements sdk.Tester.
func (t *target) Test(ctx context.Context, _ sdk.Delivery) (sdk.Receipt, error) {
	said, err := t.keeper.Check(ctx)
	return sdk.Receipt{Excerpt: said}, err
}

// Close implements io.Closer.
func (t *target) Close() error { return t.keeper.Close() }

// readable returns a delivery's events without U+0000, which no text in Postgres may have.
func readable(d sdk.Delivery) ([]sdk.Event, error) {
	events := d.Events
	for i, raw := range d.JSON {
		if i >= len(events) || !bytes.Contains(raw, []byte(`\u0000`)) {
			continue
		}
		var read any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber() // a float64 does not hold every size
		if err := d.Decode(&read); err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		clean, err := json.Marshal(withoutNUL(read))
		if err != nil {
			return nil, fmt.Errorf("write event: %w", err)
		}
		var e sdk.Event
		if err := json.Unmarshal(clean, &e); err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		events[i] = e
	}
	return events, nil
}

// withoutNUL removes U+0000 from the texts of a value of JSON.
func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
		return v
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, value := range v {
			clean[strings.ReplaceAll(key, "\x00", "")] = withoutNUL(value)
		}
		return clean
	default:
		return v
	}
}
