package ntfy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// target publishes to one topic.
type target struct {
	http   *sdk.HTTP
	server string
	topic  sdk.Secret
	token  sdk.Secret
	basic  sdk.Secret

	look       message.Look
	images     images
	icon       string
	markdown   bool
	priorities template.ByType[int]
	templates  template.ByType[template.Template]
	now        func() time.Time
}

// Deliver publishes the events' notification. Its sequence is that of the one which it
// replaces; a new one has the delivery's id, so that a second attempt shows no second
// notification.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	n, reason := t.note(message.New(d.Events...), d.Events)
	return t.deliver(ctx, d, n, reason)
}

// Test publishes a notification that makes no sound: only that shows that the server and
// the rights to the topic are right.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	const low = 2
	n, reason := t.note(message.New(d.Events...), d.Events)
	n.Priority = low
	return t.deliver(ctx, d, n, reason)
}

func (t *target) deliver(ctx context.Context, d sdk.Delivery, n note, reason string) (sdk.Receipt, error) {
	n.SequenceID = sequence(d.ID)
	if d.Previous != nil && d.Previous.MessageID != "" {
		n.SequenceID = sequence(d.Previous.MessageID)
	}
	receipt, said, err := t.publish(ctx, n)
	if dislikes(said.Code) {
		receipt, said, err = t.publish(ctx, n.bare())
		reason = strings.TrimPrefix(reason+"; the server refused the notification: shortened, without links and pictures", "; ")
	}
	receipt.Fallback = reason
	if err != nil {
		return receipt, err
	}
	// A server before 2.16 knows no sequences, and answers as if it did but for this. What
	// it shows cannot be replaced.
	if said.SequenceID == n.SequenceID {
		receipt.MessageID = n.SequenceID
	}
	return receipt, nil
}

// sequence makes a sequence's id of a delivery's, which are alike but for what others than
// Hookarr make of theirs.
func sequence(id string) string {
	id = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id)
	const longest = 64
	return id[:min(len(id), longest)]
}

// answer is what the server says: of a notification its sequence, of a refusal its code.
type answer struct {
	SequenceID string `json:"sequence_id"`
	Code       int    `json:"code"`
	Error      string `json:"error"`
}

func (t *target) publish(ctx context.Context, n note) (sdk.Receipt, answer, error) {
	payload, err := n.encode()
	if err != nil {
		return sdk.Receipt{}, answer{}, sdk.Permanent(fmt.Errorf("write the notification's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.server, bytes.NewReader(payload))
	if err != nil {
		return sdk.Receipt{}, answer{}, sdk.Misconfigured(errors.New("server is not a valid URL"))
	}
	req.Header.Set("Content-Type", "application/json")
	switch {
	case t.token != "":
		req.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	case t.basic != "":
		req.Header.Set("Authorization", "Basic "+t.basic.Reveal())
	}
	resp, err := t.http.Send(req)
	if resp == nil {
		return sdk.Receipt{}, answer{}, err
	}
	var said answer
	// An answer that is not ntfy's JSON leaves the status to speak.
	_ = json.Unmarshal(resp.Body, &said)
	if err != nil {
		err = t.explain(said, err)
	}
	return resp.Receipt, said, err
}

// The codes of binwiederhier/ntfy, server/errors.go.
const (
	codeTopicInvalid      = 40009
	codeTopicDisallowed   = 40010
	codeAttachmentURL     = 40013
	codeNoAttachments     = 40014
	codeActions           = 40018
	codeIcon              = 40021
	codeUnauthorized      = 40101
	codeForbidden         = 40301
	codeAttachmentTooLong = 41301
	codeJSONTooLong       = 41303
	codeRequests          = 42901
	codeDailyMessages     = 42908
	codeAuthFailures      = 42909
)

// dislikes reports whether a code is of something in a notification that can be left out.
func dislikes(code int) bool {
	return slices.Contains([]int{codeAttachmentURL, codeNoAttachments, codeActions, codeIcon, codeAttachmentTooLong, codeJSONTooLong}, code)
}

// explain makes a better error of a refusal than its status does. The server never says how
// long to wait.
func (t *target) explain(said answer, err error) error {
	if said.Error != "" {
		err = fmt.Errorf("%w: %s", err, message.Fit(said.Error, 200, message.Plain))
	}
	_, after := sdk.ClassOf(err)
	switch said.Code {
	case codeUnauthorized:
		return sdk.Misconfigured(fmt.Errorf("%w; check token, or username and password", err))
	case codeForbidden:
		return sdk.Misconfigured(fmt.Errorf("%w; the topic needs credentials with the right to write to it: set token, or username and password", err))
	case codeAuthFailures:
		return sdk.Misconfigured(fmt.Errorf("%w; the credentials were wrong too often: check token, or username and password", err))
	case codeTopicInvalid, codeTopicDisallowed:
		return sdk.Misconfigured(fmt.Errorf("%w; check topic", err))
	case codeRequests:
		const refill = 5 * time.Second // for one request more, by default
		return sdk.Throttled(max(after, refill), err)
	case codeDailyMessages:
		// Quotas begin anew at midnight UTC: runStatsResetter in server/server.go.
		now := t.now().UTC()
		midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
		return sdk.Throttled(max(after, midnight.Sub(now)), err)
	}
	return err
}
