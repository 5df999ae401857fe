package stash

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	fake "github.com/hookarr/hookarr/internal/fakeserver/stash"
	"github.com/hookarr/hookarr/plugins/internal/mediaservertest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestPlugin has an endpoint that answers everything at once.
func TestPlugin(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), quick, plugintest.TargetSuite{
		Asks:   true,
		Config: func(endpointURL string) any { return map[string]any{"url": endpointURL, "api_key": key} },
		// What is secret is the key.
		PublicURL: true,
		Accepts: func(r *http.Request) error {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/graphql") || r.Header.Get("ApiKey") != key {
				return fmt.Errorf("%s %s, headers: %v", r.Method, r.URL, r.Header)
			}
			return nil
		},
		Answer: func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":{"version":{"version":"v1"},"metadataScan":"1","findJob":{"status":"FINISHED"},
				"configuration":{"general":{"stashes":[{"path":"/movies"}]},"defaults":{"scan":null}}}}`)
		},
		Class: func(status int) sdk.Class {
			switch {
			case status > http.StatusOK && status < http.StatusMultipleChoices:
				return sdk.ClassRetryable // there is no JSON
			case status == http.StatusUnprocessableEntity:
				return sdk.ClassMisconfigured
			}
			return ""
		},
	})
}

func TestDescription(t *testing.T) {
	t.Parallel()
	d, err := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "http://stash:9999"}).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "stash", d.Name)
	require.True(t, d.Defaults.Group.On)
	require.Equal(t, "folder", d.Defaults.Group.By)
}

const key = "eyJhbGciOi-stash-key"

// bundle is a target and the Stash that it has to do with.
type bundle struct {
	disk   *fakeserver.Disk
	stash  *fake.Server
	url    string
	target *plugintest.Target
}

func quick(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, mediaservertest.Quick(options()))
}

func setup(t *testing.T, more map[string]any) *bundle {
	t.Helper()
	b := &bundle{disk: new(fakeserver.Disk)}
	b.stash = fake.New(b.disk, fake.Config{Version: "v0.30.1", APIKey: key, Stashes: []string{"/data/scenes", "/data/old"}, ScanTime: 20 * time.Millisecond})
	server := httptest.NewServer(b.stash)
	t.Cleanup(server.Close)
	b.url = server.URL
	config := map[string]any{"url": server.URL + "/", "api_key": key, "map": []map[string]string{{"from": "/whisparr", "to": "/data/scenes"}}}
	maps.Copy(config, more)
	b.target = plugintest.StartTarget(t, info(), quick, config)
	return b
}

func site() sdk.Media { return sdk.Media{Kind: "scene", Title: "A Site", Path: "/whisparr/A Site"} }

// arrive puts files on the disk and returns the event of their import.
func (b *bundle) arrive(names ...string) sdk.Event {
	var files []string
	for _, n := range names {
		b.disk.Add("/data/scenes/A Site/"+n, int64(len("/whisparr/A Site/"+n)))
		files = append(files, "/whisparr/A Site/"+n)
	}
	return mediaservertest.Event(sdk.TypeMediaImported, site(), files...)
}

func TestOneScanAndTheProofOfEach(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.stash.Configure(func(c *fake.Config) { c.Covers = true })
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("Scene %d 100%% \"real\".mp4", i))
	}
	d := mediaservertest.Delivery(t, b.arrive(names...))
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{"library.available A Site"}, mediaservertest.Told(t, o))
	require.Empty(t, o.Receipt.Fallback)
	require.Equal(t, []fake.Scan{{Paths: []string{"/data/scenes/A Site"}, Covers: true}}, b.stash.Scans(), "one scan, with what the person chose")
	require.Len(t, b.stash.Scenes(), 100)
	require.Contains(t, d.Waits[0], "Stash has 0 of 100 files; not yet:")
	require.Equal(t, b.url+"/scenes/1", mediaservertest.Events(t, o)[0].URL)
}

func TestAFileThatComesLaterIsScannedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	e := b.arrive("One.mp4")
	e.Files = append(e.Files, sdk.File{Path: "/whisparr/A Site/Two.mp4"})
	d := mediaservertest.Delivery(t, e)
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	// It comes when the scan is over: the first file is known.
	require.Eventually(t, func() bool { return len(b.stash.Scenes()) == 1 }, time.Minute, time.Millisecond)
	b.disk.Add("/data/scenes/A Site/Two.mp4", 9)
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.stash.Scenes(), 2)
	require.Greater(t, len(b.stash.Scans()), 1)
}

func TestJobsThatFailOrAreForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.stash.FailNextJob("ffprobe is missing")
	d := mediaservertest.Delivery(t, b.arrive("One.mp4"))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	require.Eventually(t, func() bool {
		o := d.Verify(b.target, false)
		return o.Class == sdk.ClassRetryable && o.Message != ""
	}, time.Minute, 5*time.Millisecond, "the failure is told once")
	require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
	require.Len(t, b.stash.Scans(), 2)

	// A restart forgets the job and does not do it.
	b.stash.Configure(func(c *fake.Config) { c.ScanTime = time.Hour })
	d = mediaservertest.Delivery(t, b.arrive("Two.mp4"))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	b.stash.Restart()
	b.stash.Configure(func(c *fake.Config) { c.ScanTime = 0 })
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.stash.Scenes(), 2)
}

func TestWhatIsGoneIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("One.mp4")).Prove(b.target).Class)
	b.disk.Rename("/data/scenes/A Site/One.mp4", "/data/scenes/A Site/Uno.mp4")
	o := mediaservertest.Delivery(t, mediaservertest.Renamed(site(), "/whisparr/A Site/One.mp4", "/whisparr/A Site/Uno.mp4")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Empty(t, o.Events, "another name is no news")
	require.Equal(t, "/data/scenes/A Site/Uno.mp4", b.stash.Scenes()[0].Path)

	b.disk.Remove("/data/scenes/A Site/Uno.mp4")
	o = mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, site(), "/whisparr/A Site/Uno.mp4")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Contains(t, o.Receipt.Fallback, "Stash keeps what is gone")
	require.Empty(t, o.Events, "nothing is claimed")
	require.Len(t, b.stash.Scans(), 2, "a deletion is no scan")
}

func TestPathInNoLibrary(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaImported, site(), "/elsewhere/scenes/x.mp4")).Deliver(b.target)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, "/elsewhere/scenes/x.mp4")
	require.Contains(t, o.Message, "/data/old")
	require.Contains(t, o.Message, `nearest is "/data/scenes"`)
	require.Empty(t, b.stash.Scans(), "Stash would finish a job that scans nothing")
}

func TestWhatNeverComes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	e := mediaservertest.Event(sdk.TypeMediaImported, site(), "/whisparr/A Site/never.mp4")
	d := mediaservertest.Delivery(t, e)
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	o := d.Verify(b.target, true)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Equal(t, []string{"library.missing A Site"}, mediaservertest.Told(t, o))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><title>Log in</title>")
	}
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		class  sdk.Class
		says   string
	}{
		"error in 200":   {says(200, `{"errors":[{"message":"database is locked"}],"data":null}`), sdk.ClassRetryable, "database is locked"},
		"unknown field":  {says(422, `{"errors":[{"message":"Cannot query field \"stashes\""}],"data":null}`), sdk.ClassMisconfigured, `Cannot query field "stashes"`},
		"key":            {says(401, ""), sdk.ClassMisconfigured, "Settings, Security"},
		"page":           {html, sdk.ClassMisconfigured, "a web page answers"},
		"not JSON":       {says(200, `nonsense`), sdk.ClassRetryable, "not the JSON"},
		"no data":        {says(200, `{}`), sdk.ClassRetryable, "not that of Stash"},
		"proxy":          {says(502, "bad gateway"), sdk.ClassRetryable, "502"},
		"too many":       {says(429, ""), sdk.ClassThrottled, "429"},
		"another server": {says(404, ""), sdk.ClassMisconfigured, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.stash.Next(c.answer)
			o := mediaservertest.Delivery(t, b.arrive("One.mp4")).Deliver(b.target)
			require.Equal(t, c.class, o.Class, o.Message)
			require.Contains(t, o.Message, c.says)
			require.NotContains(t, mediaservertest.Shown(o), key)
			require.Empty(t, b.stash.Scans())
		})
	}
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		b := setup(t, map[string]any{"url": "http://127.0.0.1:1"})
		require.Equal(t, sdk.ClassRetryable, mediaservertest.Delivery(t, b.arrive("One.mp4")).Deliver(b.target).Class)
	})
}

// A key that Stash has no password for is refused as a wrong one is.
func TestKeyIsRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	d := mediaservertest.Delivery(t, b.arrive("One.mp4"))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	b.stash.Configure(func(c *fake.Config) { c.APIKey = "" })
	o := d.Verify(b.target, false)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Contains(t, o.Message, "leave it out")
	b.stash.Configure(func(c *fake.Config) { c.APIKey = key })
	require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
	require.Len(t, b.stash.Scans(), 1, "nothing is sent twice")
}

func TestTestAndFolders(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	o, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Contains(t, o.Receipt.Excerpt, "Stash v0.30.1")
	require.Contains(t, o.Receipt.Excerpt, "/data/old")
	require.Empty(t, b.stash.Scans())
	f, err := b.target.Folders(t.Context(), sdk.FoldersQuery{})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{{Path: "/data/scenes", Library: "/data/scenes"}, {Path: "/data/old", Library: "/data/old"}}, f.Roots)
	require.Len(t, f.Map, 1)
	b.stash.Configure(func(c *fake.Config) { c.Stashes = nil })
	o, err = b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	found, err := b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{{Value: "/data/scenes"}, {Value: "/data/old"}}, found)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for key, config := range map[string]string{
		"url":          `{"url":"stash:9999"}`,
		"map[0].from":  `{"url":"http://stash:9999","map":[{"from":"a","to":"/b"}]}`,
		"prove_within": `{"url":"http://stash:9999","prove_within":"0s"}`,
	} {
		problems, err := b.target.Configure(t.Context(), []byte(config))
		require.NoError(t, err)
		require.Len(t, problems, 1, key)
		require.Equal(t, key, problems[0].Key)
	}
}

// Ids are the server's: no page is anywhere else for them.
func TestPagesOfScenes(t *testing.T) {
	t.Parallel()
	s := &stash{base: "http://stash:9999"}
	c := scene{ID: "1/../?a=b\nc"}
	c.Files = append(c.Files, struct {
		Path string
		Size int64
	}{Path: "/a"})
	require.Equal(t, "http://stash:9999/scenes/1%2F..%2F%3Fa=b%0Ac", s.items(c)[0].URL)
}
