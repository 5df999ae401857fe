package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// post posts an event's message to an endpoint that enforces Slack's limits.
func post(t require.TestingT, e sdk.Event) {
	eventtest.Post(t, &endpoint.Slack{}, render(message.New(e)))
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	eventtest.Check(t, post)
}

func FuzzRender(f *testing.F) { eventtest.Fuzz(f, post) }

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
