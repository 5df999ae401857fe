package webhook

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	for format, mediaType := range map[string]string{
		formatStandard:    "application/json",
		formatCloudEvents: "application/cloudevents-batch+json",
	} {
		b := setup(t, func(c *config) {
			c.Format, c.Only, c.Omit = format, []string{"id", "type", "media"}, []string{"media.overview"}
			c.HeaderNames.Event = "X-Event"
		})
		got := b.deliver(t, group(t))
		require.Equal(t, mediaType, got.header.Get("Content-Type"))
		require.Equal(t, "group", got.header.Get("X-Event"))
		eventtest.Golden(t, "testdata/"+format+"_group.golden.json", json.RawMessage(got.body))
	}

	d := group(t)
	d.CorrelationKey = ""
	var body struct {
		Data map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(setup(t, nil).deliver(t, d).body, &body))
	require.Len(t, body.Data, 1, "no key")

	for _, format := range []string{formatRaw, formatArr} {
		b := setup(t, func(c *config) { c.Format = format })
		_, err := b.target.Deliver(t.Context(), group(t))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassPermanent, class)
		require.ErrorContains(t, err, "the format "+format+" is of one event, and this is a group of 3: take group out of the routes")
		require.Empty(t, b.receiver.all)
	}
}

func TestFieldsAreLeftOut(t *testing.T) {
	t.Parallel()
	d := delivery(t)
	d.JSON = []json.RawMessage{json.RawMessage(`{"id":"1","media":{"title":"Dune","overview":"…"},"later_field":{"n":12345678901234567890}}`)}
	var body struct{ Data json.RawMessage }
	got := setup(t, func(c *config) { c.Omit = []string{"media.overview"} }).deliver(t, d)
	require.Contains(t, string(got.body), `"data":{"id":"1","media":{"title":"Dune"},"later_field":{"n":12345678901234567890}}`, "as it came")
	got = setup(t, func(c *config) { c.Format, c.Only = formatCloudEvents, []string{"media.title"} }).deliver(t, d)
	require.NoError(t, json.Unmarshal(got.body, &body))
	require.JSONEq(t, `{"media":{"title":"Dune"}}`, string(body.Data))
}

func TestArrLooksLikeTheApplication(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Format = formatArr })
	other, ok := b.target.(interface {
		sdk.OriginalsUser
		sdk.JSONUser
	})
	require.True(t, ok)
	require.False(t, other.NeedsOriginals(), "what came by webhook looks like what did not")
	require.False(t, other.UsesJSON())
	got := b.deliver(t, delivery(t))
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "Radarr/6.0.3.10276 (hookarr "+version+")", got.header.Get("User-Agent"))
	var body struct {
		EventType string
		Movie     struct{ TmdbID int }
	}
	require.NoError(t, json.Unmarshal(got.body, &body))
	require.Equal(t, "Download", body.EventType)
	require.Equal(t, 693134, body.Movie.TmdbID)

	got = b.deliver(t, eventtest.Delivery(t, sdk.Event{App: "hookarr", Type: sdk.TypeTargetHeld}))
	require.Equal(t, ownAgent, got.header.Get("User-Agent"))
	require.Equal(t, http.MethodPost, got.method)
}
