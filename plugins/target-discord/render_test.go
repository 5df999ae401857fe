package main

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// post posts an event's message to an endpoint that enforces Discord's limits.
func post(t require.TestingT, e sdk.Event) {
	eventtest.Post(t, &endpoint.Discord{}, body{
		mentions: mentions{AllowedMentions: allowedMentions{Parse: []string{}}},
		Embeds:   []embed{render(message.New(e))},
	})
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	eventtest.Check(t, post)
}

func FuzzRender(f *testing.F) { eventtest.Fuzz(f, post) }

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
