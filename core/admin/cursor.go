package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// filterSum is how many bytes of a cursor tell its filter.
const filterSum = 8

// newCursor returns where a list goes on: its last id, and the list that it is of. A
// filter is anything that JSON can tell apart.
func newCursor(last uuid.UUID, filter any) (string, error) {
	sum, err := sumOf(filter)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(last[:], sum...)), nil
}

// readCursor returns the id after which a list goes on; uuid.Nil for its beginning.
func readCursor(cursor string, filter any) (uuid.UUID, error) {
	if cursor == "" {
		return uuid.Nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != len(uuid.UUID{})+filterSum {
		return uuid.Nil, invalid("the cursor is not one of this API: begin the list anew without it")
	}
	sum, err := sumOf(filter)
	if err != nil {
		return uuid.Nil, err
	}
	id := uuid.UUID(raw[:16])
	if string(raw[16:]) != string(sum) || id == uuid.Nil {
		return uuid.Nil, invalid("the cursor is of a list with another filter: repeat the filter, or begin the list anew without the cursor")
	}
	return id, nil
}

func sumOf(filter any) ([]byte, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("write filter: %w", err)
	}
	sum := sha256.Sum256(append([]byte(fmt.Sprintf("%T", filter)), text...))
	return sum[:filterSum], nil
}
