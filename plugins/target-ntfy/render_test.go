package ntfy

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// post publishes an event in every look to a server that enforces ntfy's limits.
func post(t require.TestingT, e sdk.Event) {
	whole := message.New(e)
	for _, look := range message.Looks() {
		for _, markdown := range []bool{false, true} {
			to := target{topic: endpoint.NtfyTopic, look: look, images: imagesURL, markdown: markdown}
			n, reason := to.note(whole, []sdk.Event{e})
			require.Empty(t, reason)
			payload, err := n.encode()
			require.NoError(t, err)
			var ntfy endpoint.Ntfy
			answer := httptest.NewRecorder()
			ntfy.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(payload)))
			require.Equal(t, http.StatusOK, answer.Code, "%s %s", ntfy.Refused(), payload)
		}
	}
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	eventtest.Check(t, post)
}

func FuzzRender(f *testing.F) { eventtest.Fuzz(f, post) }

func golden(t *testing.T, file string, events ...sdk.Event) {
	t.Helper()
	all := map[message.Look]endpoint.NtfyBody{}
	for _, look := range message.Looks() {
		b := setup(t, &endpoint.Ntfy{}, func(c *config) { c.Look = look })
		_, err := b.target.Deliver(t.Context(), eventtest.StoryDelivery(t, events...))
		require.NoError(t, err, b.ntfy.Refused())
		all[look] = b.ntfy.Messages()[0].NtfyBody
	}
	eventtest.Golden(t, "testdata/"+file+".golden.json", all)
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, c := range eventtest.Events() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, c.Name, c.Event)
		})
	}
	for _, s := range eventtest.Stories() {
		t.Run("story_"+s.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, "story_"+s.Name, s.Events...)
		})
	}
}

// Every emoji of a message is one that ntfy has a name for.
func TestEmojisHaveNames(t *testing.T) {
	t.Parallel()
	var stories [][]sdk.Event
	for _, typ := range sdk.Types() {
		stories = append(stories, []sdk.Event{{Type: typ, Title: "x"}})
	}
	for _, level := range []string{"notice", "warning", "error"} {
		stories = append(stories, []sdk.Event{{Type: sdk.TypeHealthIssue, Health: &sdk.Health{Level: level}}})
	}
	for _, s := range eventtest.Stories() {
		stories = append(stories, s.Events)
	}
	for _, events := range stories {
		m := message.New(events...)
		require.NotEmpty(t, tagOf(m.Emoji), "%s %s", m.Headline, m.Emoji)
	}
}
