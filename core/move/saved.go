package move

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store/rows"
)

// saved is how far a move has come, as its destination has it.
type saved struct {
	// Source is the id of the database that is moved.
	Source uuid.UUID             `json:"source"`
	Tables map[string]savedTable `json:"tables"`
}

// savedTable is how far a table has come.
type savedTable struct {
	// After is the key of the last row that was copied, by its kind.
	After []savedValue `json:"after,omitempty"`
	Done  bool         `json:"done,omitempty"`
}

// savedValue is a value of a key: one of them.
type savedValue struct {
	Int   *int64  `json:"int,omitempty"`
	Text  *string `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
}

func parseSaved(text string) (saved, error) {
	s := saved{Tables: map[string]savedTable{}}
	if text == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("read how far the move has come: %w", err)
	}
	return s, nil
}

func (s saved) format() (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("save how far the move has come: %w", err)
	}
	return string(text), nil
}

func saveTable(last rows.Row, done bool) savedTable {
	t := savedTable{Done: done}
	for _, value := range last {
		var v savedValue
		switch value := value.(type) {
		case int64:
			v.Int = &value
		case string:
			v.Text = &value
		case []byte:
			v.Bytes = value
		}
		t.After = append(t.After, v)
	}
	return t
}

// key is where a table is gone on with; nil is its beginning.
func (t savedTable) key(of rows.Table) (rows.Row, error) {
	if len(t.After) == 0 {
		return nil, nil
	}
	if len(t.After) != len(of.Key) {
		return nil, fmt.Errorf("the move has come to a key of %d values in table %s, which has %d", len(t.After), of.Name, len(of.Key))
	}
	key := make(rows.Row, len(of.Key))
	for i, v := range t.After {
		switch {
		case v.Int != nil:
			key[i] = *v.Int
		case v.Text != nil:
			key[i] = *v.Text
		default:
			key[i] = append([]byte{}, v.Bytes...)
		}
	}
	return key, nil
}
