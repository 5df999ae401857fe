package poster_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/sdk"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 3))))
	return b.Bytes()
}

// serve returns the URL of a server, and a fetcher that may ask it.
func serve(t *testing.T, h http.HandlerFunc) (string, poster.Fetcher) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	return s.URL, poster.New(&sdk.HTTP{}, []string{u.Host})
}

func TestFetch(t *testing.T) {
	t.Parallel()
	want := picture(t)
	asked := make(chan string, 1)
	at, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		// What the bytes are counts, not what they are called.
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(want)
	})
	got, err := f.Fetch(t.Context(), at+"/MediaCover/1/poster.png?apikey=s3cret")
	require.NoError(t, err)
	require.Equal(t, "/MediaCover/1/poster.png?apikey=s3cret", <-asked)
	require.Equal(t, poster.Image{Name: "poster.png", Type: "image/png", Data: want}, got)
}

func TestWhatIsNoPosterIsNone(t *testing.T) {
	t.Parallel()
	large := append(picture(t), make([]byte, poster.MaxBytes)...)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"gone":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x.png", http.StatusFound) }, "redirects are not followed"},
		"page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<html>log in</html>"))
		}, "is no JPEG, PNG or WebP"},
		"empty": {func(http.ResponseWriter, *http.Request) {}, "is no JPEG, PNG or WebP"},
		"large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large) }, "more than 5 MiB"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		}, "fetch the poster from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, f := serve(t, c.answer)
			_, err := f.Fetch(t.Context(), at+"/s3cret.png")
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	at, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("\x89PNG"))
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	_, err := f.Fetch(ctx, at+"/x.png")
	require.Error(t, err)
}

func TestOthersAreLeftTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	at, f := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := f.Fetch(ctx, at+"/x.png")
	require.ErrorContains(t, err, "no answer within")
	require.NoError(t, ctx.Err(), "there is time left for the message")
}

// Whoever writes an event could otherwise have Hookarr ask anything in the house.
func TestOtherHostsAreNotAsked(t *testing.T) {
	t.Parallel()
	at, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	f := poster.New(&sdk.HTTP{}, []string{"nas.lan:7878"})
	for _, raw := range []string{
		at + "/x.png", "http://image.tmdb.org.evil.example/x.png", "https://image.tmdb.org:8443/x.png", "https://u:s3cret@image.tmdb.org/x.png",
		"file:///etc/passwd", "http://nas.lan/x.png", "/MediaCover/1/poster.jpg", "", "http://a b/",
	} {
		_, err := f.Fetch(t.Context(), raw)
		require.Error(t, err, raw)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://image.tmdb.org/t/p/original/a.jpg":            "https://image.tmdb.org/t/p/w780/a.jpg",
		"https://image.tmdb.org/t/p/w500/a.jpg":                "https://image.tmdb.org/t/p/w500/a.jpg",
		"https://artworks.thetvdb.com/banners/posters/1-1.jpg": "https://artworks.thetvdb.com/banners/posters/1-1.jpg",
		"http://image.tmdb.org/t/p/original/a.jpg":             "",
		"https://image.tmdb.org/a.jpg?token=s3cret":            "",
		"https://user:s3cret@image.tmdb.org/a.jpg":             "",
		"https://radarr.example/MediaCover/1/poster.jpg":       "",
		"http://192.168.1.5:7878/MediaCover/1/poster.jpg":      "",
		"":     "",
		"a\nb": "",
	} {
		require.Equal(t, want, poster.Public(raw), raw)
	}
}

func TestShareable(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"https://image.tmdb.org/t/p/original/a.jpg":                  true,
		"https://radarr.example/MediaCover/1/poster.jpg?lastWrite=6": true,
		"https://radarr.example/MediaCover/1/poster.jpg?apikey=0":    false,
		"https://radarr.example/poster.jpg?w=1&api%4Bey=0":           false,
		"https://radarr.example/poster.jpg?w;apikey=0":               false,
		"https://plex.example/photo?X-Plex-Token=0":                  false,
		"https://user:s3cret@radarr.example/poster.jpg":              false,
		"a\nb": false,
		"":     false,
	} {
		require.Equal(t, want, poster.Shareable(raw) != "", raw)
	}
}

func TestCheckHosts(t *testing.T) {
	t.Parallel()
	require.NoError(t, poster.CheckHosts([]string{"nas.lan:7878", "192.168.1.5", "[fd00::1]:80"}))
	err := poster.CheckHosts([]string{"nas.lan", "", "http://nas.lan", "nas.lan/x", "u@nas.lan", "*.lan", ":7878", "169.254.169.254", "0xa9fea9fe:80"})
	require.Error(t, err)
	problems := strings.Split(err.Error(), "\n")
	require.Len(t, problems, 8)
	require.Contains(t, problems[0], "image_hosts[1]: is not a host")
	require.Contains(t, problems[7], "image_hosts[8]: 169.254.169.254 is not an address to deliver to")
}
