package email

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// pictures serves /p.png, and counts who asks.
func pictures(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 3))))
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/p.png" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func withPoster(url string) sdk.Event {
	e := imported
	e.Media = &sdk.Media{Kind: "movie", Poster: url}
	return e
}

func embedding(url string) func(c *config) {
	return func(c *config) { c.Images, c.ImageHosts = imagesEmbed, []string{strings.TrimPrefix(url, "http://")} }
}

func TestPosterIsAPartOfTheMail(t *testing.T) {
	t.Parallel()
	url, _ := pictures(t)
	for _, look := range []message.Look{message.LookStandard, message.LookRich, message.LookPoster} {
		s := &endpoint.SMTP{}
		target := setup(t, s, func(c *config) {
			embedding(url)(c)
			c.Look = look
		})
		receipt, err := target.Deliver(t.Context(), eventtest.Delivery(t, withPoster(url+"/p.png")))
		require.NoError(t, err, s.Refused())
		require.Empty(t, receipt.Fallback)
		require.Equal(t, map[string]string{"poster@example.com": "image/png"}, s.Mails()[0].Pictures)
	}
}

func TestMailGoesWithoutAPosterThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	url, asked := pictures(t)
	for poster, why := range map[string]string{
		url + "/missing.png?key=s3cret":   "404",
		"http://127.0.0.1:1/p.png?s3cret": "posters are not fetched from 127.0.0.1:1",
	} {
		s := &endpoint.SMTP{}
		receipt, err := setup(t, s, embedding(url)).Deliver(t.Context(), eventtest.Delivery(t, withPoster(poster)))
		require.NoError(t, err, s.Refused())
		require.Contains(t, receipt.Fallback, why)
		require.Contains(t, receipt.Fallback, ": sent without the poster")
		require.NotContains(t, receipt.Fallback, "s3cret")
		require.Empty(t, s.Mails()[0].Loads())
		require.Empty(t, s.Mails()[0].Pictures)
	}
	require.EqualValues(t, 1, asked.Load())

	// Who writes the page does without the poster.
	s := &endpoint.SMTP{}
	receipt, err := setup(t, s, func(c *config) {
		embedding(url)(c)
		c.Templates = template.ByType[own]{"*": {HTML: parse(t, "<p>x</p>")}}
	}).Deliver(t.Context(), eventtest.Delivery(t, withPoster(url+"/p.png")))
	require.NoError(t, err, s.Refused())
	require.Empty(t, receipt.Fallback)
	require.EqualValues(t, 1, asked.Load())
}

func TestLinksLeadToPublicSitesAlone(t *testing.T) {
	t.Parallel()
	from := written(t, func(c *config) { c.Images = imagesLink })
	for poster, want := range map[string][]string{
		"https://image.tmdb.org/t/p/original/p.jpg": {"https://image.tmdb.org/t/p/w780/p.jpg"},
		"http://nas:7878/p.jpg?apikey=s3cret":       nil,
		"https://radarr.example/p.jpg":              nil,
	} {
		m := read(t, from, eventtest.Delivery(t, withPoster(poster)))
		require.Equal(t, want, m.Loads(), poster)
	}
}

func TestPreviewFetchesNoPoster(t *testing.T) {
	t.Parallel()
	url, asked := pictures(t)
	s := start(t)
	config := s.config()
	config["images"], config["image_hosts"] = imagesEmbed, []string{strings.TrimPrefix(url, "http://")}
	problems, err := s.Configure(t.Context(), plugintest.Config(t, config))
	require.NoError(t, err)
	require.Empty(t, problems)
	d := plugintest.Delivery(t, "d", withPoster(url+"/p.png"))
	shown, err := s.Preview(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, "MAIL", shown.Method)
	require.Contains(t, shown.Body, "cid:poster@example.com")
	require.Zero(t, asked.Load())

	s.smtp.Next(endpoint.SMTPReply{Code: 451, Text: "later"})
	o, err := s.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Equal(t, "MAIL", o.Sent.Method, "of a failed attempt the mail is shown, not what was asked for the poster")
	require.EqualValues(t, 1, asked.Load())
}
