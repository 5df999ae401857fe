package slack

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// accepted posts an event's message in every look to an endpoint that enforces Slack's
// limits.
func accepted(t require.TestingT, e sdk.Event) {
	for _, look := range message.Looks() {
		eventtest.Post(t, &endpoint.Slack{}, render(message.New(e).In(look), look))
	}
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	eventtest.Check(t, accepted)
}

func TestAnyGroupIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(eventtest.Any(), 2, 3).Draw(t, "events")
		look := rapid.SampledFrom(message.Looks()).Draw(t, "look")
		eventtest.Post(t, &endpoint.Slack{}, render(message.New(events...).In(look), look))
	})
}

// A digest names many titles, whose list alone would be longer than a section takes.
func TestADigestOfLongTitlesIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	var events []sdk.Event
	for i := range 100 {
		title := fmt.Sprintf("%d %s", i, strings.Repeat("&", 200))
		events = append(events, sdk.Event{
			ID: strconv.Itoa(i), Type: sdk.TypeMediaImported, Title: title, CorrelationKey: title,
			Media: &sdk.Media{Kind: "movie", ID: strconv.Itoa(i), Title: title},
		})
	}
	for _, look := range message.Looks() {
		slack := &endpoint.Slack{}
		eventtest.Post(t, slack, render(message.New(events...).In(look), look))
		if look != message.LookCompact {
			require.Contains(t, slack.Messages()[0].Blocks[2].Text.Text, "titles more")
		}
	}
}

func FuzzRender(f *testing.F) { eventtest.Fuzz(f, accepted) }

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
