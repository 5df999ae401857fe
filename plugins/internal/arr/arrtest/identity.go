package arrtest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Identity checks that the row numbers of an application's database alone make no
// fingerprint: another instance, or the same after its backup was restored, gives them
// to other things.
func Identity(t *testing.T, s sdk.Source) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	var checked int
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		before, err := Decode(s, Sample(t, name), nil)
		if strings.HasSuffix(name, ".golden") || err != nil || before.Fingerprint == "" {
			continue
		}
		checked++
		other := Decoded(t, s, edited(t, name, elsewhere))
		require.Equal(t, before.Type, other.Type, name)
		require.NotEqual(t, before.Fingerprint, other.Fingerprint, "%s: other things with the same row numbers", name)
		rows := Decoded(t, s, edited(t, name, rowsAlone))
		require.Empty(t, rows.Fingerprint, "%s: nothing is known but row numbers", name)
	}
	require.NotZero(t, checked)
}

// edited is a sample after a change of each of its objects.
func edited(t *testing.T, name string, change func(map[string]any)) []byte {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(Sample(t, name), &v))
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			change(v)
			for _, value := range v {
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(v)
	body, err := json.Marshal(v)
	require.NoError(t, err)
	return body
}

// elsewhere gives things other names and places, and leaves their row numbers.
func elsewhere(m map[string]any) {
	for key, value := range m {
		named := []string{"name", "title", "instanceName", "applicationUrl", "source", "host", "releaseTitle"}
		lower := strings.ToLower(key)
		id := strings.HasSuffix(key, "Id")
		if !id && !strings.Contains(lower, "path") && !slices.Contains(named, key) {
			continue
		}
		switch value := value.(type) {
		case string:
			m[key] = value + "2"
		case float64:
			m[key] = value + 1
		}
	}
	if m["instanceName"] == nil {
		m["instanceName"] = "Another" // Old versions do not say theirs.
	}
}

// rowsAlone leaves of things their row numbers and of the event its kind.
func rowsAlone(m map[string]any) {
	for key, value := range m {
		switch value.(type) {
		case map[string]any, []any:
		default:
			kept := []string{"id", "eventtype", "deletereason", "isupgrade"}
			if !slices.Contains(kept, strings.ToLower(key)) {
				delete(m, key)
			}
		}
	}
}
