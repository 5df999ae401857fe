package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
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

// within posts an event's message to an endpoint that enforces Discord's limits, and
// returns it as the channel shows it.
func within(t require.TestingT, e sdk.Event) endpoint.DiscordMessage {
	payload, err := json.Marshal(body{
		mentions: mentions{AllowedMentions: allowedMentions{Parse: []string{}}},
		Embeds:   []embed{render(message.New(e))},
	})
	require.NoError(t, err)
	var d endpoint.Discord
	req := httptest.NewRequest(http.MethodPost, d.URL("http://127.0.0.1"), bytes.NewReader(payload))
	req.Header.Set("Content-Type", "application/json")
	d.ServeHTTP(httptest.NewRecorder(), req)
	require.Empty(t, d.Refused(), "%s", payload)
	require.Len(t, d.Messages(), 1)
	return d.Messages()[0]
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

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for u, want := range map[string]bool{
		"https://radarr.example/movie/1": true,
		"http://192.168.1.5:7878/movie":  true,
		"http://[fd00::1]:7878/movie":    true,
		"http://radarr:7878/movie":       false,
		"http://localhost/movie":         false,
		"http://radarr./movie":           false,
		"":                               false,
	} {
		require.Equal(t, want, publicURL(u) != "", "%q", u)
	}
}

func TestMarkdownIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"M*A*S*H":            `M\*A\*S\*H`,
		"# not a heading":    `\# not a heading`,
		"Spider-Man #3 > 2":  "Spider-Man #3 > 2",
		"[x](https://e.com)": `\[x\](https://e.com)`,
		"<@1> ||s||":         `\<@1> \|\|s\|\|`,
		"a\n- b\n> c":        "a\n\\- b\n\\> c",
		`\*`:                 `\\\*`,
	} {
		require.Equal(t, want, message.Fit(text, 1000, markdown))
	}
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
