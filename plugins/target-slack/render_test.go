package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// within posts an event's message to an endpoint that enforces Slack's limits.
func within(t require.TestingT, e sdk.Event) {
	payload, err := json.Marshal(render(message.New(e)))
	require.NoError(t, err)
	var s endpoint.Slack
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, s.URL("http://127.0.0.1"), bytes.NewReader(payload)))
	require.Empty(t, s.Refused(), "%s", payload)
	require.Len(t, s.Messages(), 1)
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		within(t, eventtest.Any().Draw(t, "event"))
	})
}

func FuzzRender(f *testing.F) {
	for _, c := range eventtest.Events() {
		raw, err := json.Marshal(c.Event)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e sdk.Event
		if json.Unmarshal(raw, &e) == nil {
			within(t, e)
		}
	})
}

func TestTextIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"M*A*S*H":          "M∗A∗S∗H",
		"Tom & Jerry <3":   "Tom &amp; Jerry &lt;3",
		"<!channel> <@U1>": "&lt;!channel&gt; &lt;@U1&gt;",
		"`x` ~y~":          "ˋxˋ ∼y∼",
	} {
		require.Equal(t, want, message.Fit(text, 1000, escape))
	}
	require.Equal(t, "ˋa*b~c&amp;", message.Fit("`a*b~c&", 1000, code))
}
