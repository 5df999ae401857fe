package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store/rows"
)

// longestKey bounds keys in bytes: databases index only short values.
const longestKey = 256

// CleanText replaces what a text column cannot hold: U+0000 and invalid UTF-8.
// What a sender really sent is in the raw body.
func CleanText(s string) string { return rows.CanonicalText(s) }

// CutRequest is what is kept of what an attempt sent.
func CutRequest(s string) string {
	if len(s) > event.MaxRequest {
		s = s[:event.MaxRequest]
	}
	return CleanText(s)
}

// ShortKey returns a key that can be indexed: a long one by its beginning and its
// digest.
func ShortKey(s string) string {
	s = CleanText(s)
	if len(s) <= longestKey {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:longestKey/2], "") + "…" + hex.EncodeToString(sum[:])
}

// Story ties a dedup key to what may free it, see Acceptance.Clears; empty when only
// time does.
func Story(key, eventType, correlationKey string) string {
	if correlationKey == "" || strings.HasPrefix(key, "id:") {
		return ""
	}
	return ShortKey(eventType + " " + correlationKey)
}

// EventTexts are the text columns of an event: source, state, origin, type, title,
// summary, fingerprint, correlation key, reason, method, query, header and traceparent.
func EventTexts(e *event.Event) ([13]string, error) {
	header, err := json.Marshal(e.Request.Header)
	if err != nil {
		return [13]string{}, fmt.Errorf("encode headers: %w", err)
	}
	texts := [13]string{
		e.Source, string(e.State), string(e.Origin), string(e.Type), e.Title, e.Summary, e.Fingerprint,
		e.CorrelationKey, e.Reason, e.Request.Method, e.Request.Query, string(header), e.Traceparent,
	}
	for i := range texts {
		texts[i] = CleanText(texts[i])
	}
	// These are indexed.
	texts[3], texts[6] = ShortKey(texts[3]), ShortKey(texts[6])
	return texts, nil
}
