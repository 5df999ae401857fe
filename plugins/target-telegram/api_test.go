package telegram

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Whatever a refusal says, it is one.
func FuzzExplain(f *testing.F) {
	f.Add(429, []byte(`{"ok":false,"parameters":{"retry_after":1e300}}`))
	f.Add(429, []byte(`{"parameters":{"retry_after":-1,"migrate_to_chat_id":5}}`))
	f.Add(400, []byte(`{"description":"Bad Request: CHAT_WRITE_FORBIDDEN","parameters":{"retry_after":"soon"}}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 300 || status > 599 {
			return
		}
		var said answer
		_ = json.Unmarshal(body, &said) // what came of it counts
		err := explain(&sdk.Response{Receipt: sdk.Receipt{Status: status}}, said, sdk.Classify(&http.Response{StatusCode: status, Header: http.Header{}}))
		class, after := sdk.ClassOf(err)
		require.NotEqual(t, sdk.ClassOK, class)
		require.GreaterOrEqual(t, after, time.Duration(0))
		require.Equal(t, status == http.StatusTooManyRequests, class == sdk.ClassThrottled)
		require.Less(t, len(err.Error()), 2000)
	})
}
