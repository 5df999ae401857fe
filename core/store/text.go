package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// longestKey bounds keys in bytes: databases index only short values.
const longestKey = 256

// CleanText replaces what a text column cannot hold: U+0000 and invalid UTF-8.
// What a sender really sent is in the raw body.
func CleanText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
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
