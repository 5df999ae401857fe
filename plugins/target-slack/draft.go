package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// draft is a message that is ready to be sent, and what there is to simplify about it.
type draft struct {
	payload
	// builtIn is the message without templates; nil when the payload is it.
	builtIn *payload
	// reasons are why the message is not as it was to be.
	reasons []string
}

// because adds a reason.
func (d draft) because(reason string) draft {
	d.reasons = append(slices.Clip(d.reasons), reason)
	return d
}

// bare is the built-in message without pictures, which Slack fetches before it accepts a
// message, for one that was refused with a word.
func (d draft) bare(word string) (draft, bool) {
	if d.builtIn != nil {
		plain, _ := d.builtIn.bare()
		return draft{payload: plain, reasons: d.reasons}.because(
			fmt.Sprintf("Slack refused the message of a template (%s): used the built-in message", word)), true
	}
	plain, had := d.payload.bare()
	if !had {
		return d, false
	}
	d.payload = plain
	return d.because(fmt.Sprintf("Slack refused the message with a picture (%s): sent without", word)), true
}

// text is the message in one sentence, for one whose blocks were refused.
func (d draft) text(word string) (draft, bool) {
	if len(d.Blocks) == 0 {
		return d, false
	}
	d.Blocks = nil
	return d.because(fmt.Sprintf("Slack refused the message's blocks (%s): sent as text", word)), true
}

// receipt is what there is to say of an answer, or of none for nil.
func (d draft) receipt(resp *sdk.Response, err error) (sdk.Receipt, error) {
	var receipt sdk.Receipt
	if resp != nil {
		receipt = resp.Receipt
	}
	receipt.Fallback = strings.Join(d.reasons, "; ")
	return receipt, err
}

// request is a POST of v as JSON, in the charset that Slack asks for by name, to a URL that
// is configured by a key.
func request(ctx context.Context, key, url string, v any) (*http.Request, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, sdk.Permanent(fmt.Errorf("write the message's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, sdk.Misconfigured(fmt.Errorf("%s is not a valid URL", key))
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return req, nil
}
