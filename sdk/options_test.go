package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// listing is the configuration of targets and sources that have options. What the
// endpoint would do is in URL.
type listing struct {
	URL       string     `json:"url" hookarr:"required" doc:"Where it is."`
	Token     sdk.Secret `json:"token" hookarr:"required" doc:"Its token."`
	Libraries []string   `json:"libraries" hookarr:"required,options" doc:"Libraries."`
	Posts     struct {
		Channel int `json:"channel" hookarr:"options" jsonschema:"minimum=1" doc:"Number of a channel."`
	} `json:"posts" doc:"Posts."`
	Format string `json:"format" hookarr:"default=text" doc:"Format."`
}

func (c listing) Validate() error {
	var problems []error
	if len(c.Libraries) != 1 {
		problems = append(problems, sdk.Problem("libraries[0]", "is not one"))
	}
	if c.Posts.Channel == 13 {
		problems = append(problems, sdk.Problem("posts.channel", "is unlucky"))
	}
	if c.Format == "html" {
		problems = append(problems, sdk.Problem("format", "does not go with "+c.Token.Reveal()))
	}
	return errors.Join(problems...)
}

// librarian is a target and a source that has options.
type librarian struct {
	sdk.SourceFunc
	config listing
	open   *atomic.Int32
}

func (*librarian) Deliver(context.Context, sdk.Delivery) (sdk.Receipt, error) {
	return sdk.Receipt{}, nil
}

func (l *librarian) Close() error {
	l.open.Add(-1)
	return nil
}

func (l *librarian) Options(ctx context.Context, key string) ([]sdk.Option, error) {
	switch l.config.URL {
	case "down":
		return nil, errors.New("the server at " + l.config.Token.Reveal() + "\ndoes not answer")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "panic":
		panic("a bug with " + l.config.Token.Reveal()) //nolint:forbidigo // its purpose
	case "unsupported":
		return nil, errors.ErrUnsupported
	case "many":
		all := make([]sdk.Option, 1500)
		for i := range all {
			all[i].Value = strconv.Itoa(i)
		}
		return all, nil
	case "odd":
		return []sdk.Option{
			{Value: "", Label: "none"},
			{Value: strings.Repeat("v", 2000)},
			{Value: "a\xff"},
			{Value: "of " + l.config.Token.Reveal()},
			{Value: "two\nlines"},
			{Value: "\u202etxt"},
			{Value: " Movies ", Label: "with " + l.config.Token.Reveal() + "\nand \xff" + strings.Repeat("l", 2000)},
			{Value: " Movies ", Label: "again"},
		}, nil
	}
	return []sdk.Option{{Value: key, Label: fmt.Sprintln(l.config.Libraries, l.config.Posts.Channel, l.config.Format)}}, nil
}

const listingToken = "t0ken-of-the-server"

// lists starts a target that has options, with one instance in place, and counts the
// instances that are open.
func lists(t *testing.T) (*host.Client, *atomic.Int32) {
	t.Helper()
	open := &atomic.Int32{}
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureOptions}},
		func(_ context.Context, _ sdk.Env, c listing) (sdk.Target, error) {
			if c.URL == "refused" {
				return nil, sdk.Problem("url", "is refused")
			}
			open.Add(1)
			return &librarian{config: c, open: open}, nil
		})
	client := host.NewClient(attach(t, p, err))
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "live", Config: []byte(`{"url":"live","token":"t","libraries":["a"]}`)}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	return client, open
}

func askDraft(t *testing.T, client *host.Client, key, config string) ([]sdk.Option, error) {
	t.Helper()
	return client.Options(t.Context(), host.Instance{Name: "draft", Config: []byte(config)}, key)
}

// The key that is asked for may have any value or none; the others are as they are configured.
func TestOptionsOfADraft(t *testing.T) {
	t.Parallel()
	client, open := lists(t)
	for config, label := range map[string]string{
		`{"url":"u","token":"t"}`:                                                          "[] 0 text",
		`{"url":"u","token":"t","libraries":null,"format":"raw"}`:                          "[] 0 raw",
		`{"url":"u","token":"t","libraries":[]}`:                                           "[] 0 text",
		`{"url":"u","token":"t","libraries":["x","y"],"posts":{"channel":7}}`:              "[x y] 7 text",
		`{"url":"u","token":"t","libraries":"x","posts":{"channel":7}}`:                    "[] 7 text",
		`{"url":"u","token":"t","libraries":[{"a":1}],"posts":{"channel":7},"format":"f"}`: "[] 7 f",
	} {
		found, err := askDraft(t, client, "libraries", config)
		require.NoError(t, err, config)
		require.Equal(t, []sdk.Option{{Value: "libraries", Label: label}}, found, config)
	}
	for config, label := range map[string]string{
		`{"url":"u","token":"t","libraries":["a"]}`:                                          "[a] 0 text",
		`{"url":"u","token":"t","libraries":["a"],"posts":{}}`:                               "[a] 0 text",
		`{"url":"u","token":"t","libraries":["a"],"posts":{"channel":"#movies"}}`:            "[a] 0 text",
		`{"url":"u","token":"t","libraries":["a"],"posts":{"channel":0}}`:                    "[a] 0 text",
		`{"url":"u","token":"t","libraries":["a"],"posts":{"channel":13}}`:                   "[a] 13 text",
		`{"url":"u","token":"t","libraries":["a"],"posts":{"channel":99999999999999999999}}`: "[a] 0 text",
	} {
		found, err := askDraft(t, client, "posts.channel", config)
		require.NoError(t, err, config)
		require.Equal(t, []sdk.Option{{Value: "posts.channel", Label: label}}, found, config)
	}
	require.EqualValues(t, 1, open.Load(), "each instance of a draft is closed, and the one in place is not")
	_, err := client.Deliver(t.Context(), "draft", host.Delivery{ID: "1"})
	require.Equal(t, codes.FailedPrecondition, status.Code(err), "a draft is not in place")
}

// A constructor that wants something of the host is told of it for a question, too.
func TestOptionsOfAPluginThatAsksForItsHost(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureOptions}},
		func(_ context.Context, env sdk.Env, c listing) (sdk.Target, error) {
			if !env.Host.Has(sdk.FeatureRaw) {
				return nil, errors.New("the host does not give the bodies as they came")
			}
			return &librarian{config: c, open: &atomic.Int32{}}, nil
		})
	client := host.NewClient(attach(t, p, err))
	_, err = askDraft(t, client, "libraries", `{"url":"u","token":"t"}`)
	require.ErrorContains(t, err, "the host does not give the bodies as they came", "a host that says nothing")
	client.Host = sdk.HostInfo{Version: "1.2.3", Features: []sdk.Feature{sdk.FeatureRaw}}
	found, err := askDraft(t, client, "libraries", `{"url":"u","token":"t"}`)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestOptionsWantTheOtherKeys(t *testing.T) {
	t.Parallel()
	client, open := lists(t)
	for config, says := range map[string]string{
		`{}`:                                   "mend its other settings first: token: is required; url: is required",
		`{"url":"","token":"t"}`:               "url: must not be empty",
		`{"url":"u","token":"t","librarie":1}`: "librarie: is an unknown key; did you mean libraries?",
		`{"url":"u","token":"` + listingToken + `","format":"html"}`: "format: does not go with [redacted]",
		`{"url":"u","token":"t","posts":5}`:                          "posts: needs a set of keys, not a number",
		`{"url":"refused","token":"t"}`:                              "url: is refused",
		`["u"]`:                                                      "needs a set of keys, not a list",
		`{`:                                                          "is not JSON",
	} {
		_, err := askDraft(t, client, "libraries", config)
		require.ErrorContains(t, err, says, config)
		require.Equal(t, codes.Aborted, status.Code(err), "it is no fault of the plugin's")
		require.NotContains(t, err.Error(), "libraries: is required")
	}
	for _, key := range []string{"url", "", "libraries[0]", "posts", strings.Repeat("k", 5000), "Libraries"} {
		_, err := askDraft(t, client, key, `{"url":"u","token":"t"}`)
		require.ErrorContains(t, err, "has no options; there are some for libraries, posts.channel", key)
		require.Equal(t, codes.Aborted, status.Code(err))
	}
	require.EqualValues(t, 1, open.Load())
}

func TestOptionsThatFail(t *testing.T) {
	t.Parallel()
	client, open := lists(t)
	of := func(url string) string { return fmt.Sprintf(`{"url":%q,"token":%q}`, url, listingToken) }

	_, err := askDraft(t, client, "libraries", of("down"))
	require.Equal(t, codes.Aborted, status.Code(err))
	require.ErrorContains(t, err, "the server at [redacted] does not answer")

	_, err = askDraft(t, client, "libraries", of("panic"))
	require.Equal(t, codes.Internal, status.Code(err))
	require.ErrorContains(t, err, "the plugin panicked in Options: a bug with [redacted]")

	_, err = askDraft(t, client, "libraries", of("unsupported"))
	require.ErrorIs(t, err, host.ErrUnsupported)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = client.Options(ctx, host.Instance{Name: "draft", Config: []byte(of("slow"))}, "libraries")
	require.Equal(t, codes.DeadlineExceeded, status.Code(err))

	require.Eventually(t, func() bool { return open.Load() == 1 }, time.Minute, time.Millisecond, "every draft is closed")
}

// A plugin that stops closes what was made for a question too.
func TestOptionsWhileThePluginStops(t *testing.T) {
	t.Parallel()
	var open *atomic.Int32
	asked := make(chan error, 1)
	t.Run("served", func(t *testing.T) {
		var client *host.Client
		client, open = lists(t)
		go func() {
			_, err := client.Options(context.WithoutCancel(t.Context()), host.Instance{Name: "draft", Config: []byte(`{"url":"slow","token":"t"}`)}, "libraries")
			asked <- err
		}()
		require.Eventually(t, func() bool { return open.Load() == 2 }, time.Minute, time.Millisecond)
	})
	require.Error(t, <-asked)
	require.Eventually(t, func() bool { return open.Load() == 0 }, time.Minute, time.Millisecond)
}

func TestOptionsAreBounded(t *testing.T) {
	t.Parallel()
	client, _ := lists(t)
	found, err := askDraft(t, client, "libraries", `{"url":"many","token":"t"}`)
	require.NoError(t, err)
	require.Len(t, found, 1000)
	require.Equal(t, "999", found[999].Value)

	found, err = askDraft(t, client, "libraries", fmt.Sprintf(`{"url":"odd","token":%q}`, listingToken))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, " Movies ", found[0].Value, "as it is to be written")
	require.True(t, strings.HasPrefix(found[0].Label, "with [redacted] and \uFFFDlll"), found[0].Label)
	require.LessOrEqual(t, len(found[0].Label), 1024)
}

func TestOptionsOfASource(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureOptions}},
		func(_ context.Context, _ sdk.Env, c listing) (sdk.Source, error) {
			return &librarian{config: c, open: &atomic.Int32{}}, nil
		})
	client := host.NewClient(attach(t, p, err))
	found, err := askDraft(t, client, "libraries", `{"url":"u","token":"t"}`)
	require.NoError(t, err)
	require.Equal(t, "libraries", found[0].Value)
	d, err := client.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, []host.OptionKey{
		{Key: "libraries", Description: "Libraries."}, {Key: "posts.channel", Description: "Number of a channel."},
	}, d.OptionKeys())
}

// An author hears at once, when the binary starts, what does not go together.
func TestOptionsAreDeclaredWhole(t *testing.T) {
	t.Parallel()
	type unmarked struct {
		A string `json:"a"`
	}
	type marked struct {
		A string `json:"a" hookarr:"options"`
	}
	type listed struct {
		A []struct {
			B string `json:"b" hookarr:"options"`
		} `json:"a"`
	}
	type mapped struct {
		A map[string]struct {
			B string `json:"b" hookarr:"options"`
		} `json:"a"`
	}
	type switches struct {
		A bool `json:"a" hookarr:"options"`
	}
	require.ErrorContains(t, declared[unmarked](sdk.FeatureOptions), `no field of the configuration has the tag hookarr:"options"`)
	require.ErrorContains(t, declared[marked](), `the key a has the tag hookarr:"options": list sdk.FeatureOptions in Info.Features`)
	require.ErrorContains(t, declared[listed](sdk.FeatureOptions), "the key a.b has options and is in a list or a map")
	require.ErrorContains(t, declared[mapped](sdk.FeatureOptions), "the key a.b has options and is in a list or a map")
	require.ErrorContains(t, declared[switches](sdk.FeatureOptions), "options are for a text or a number that is no secret")
	require.NoError(t, declared[marked](sdk.FeatureOptions))

	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureOptions}},
		func(context.Context, sdk.Env, marked) (sdk.Target, error) { return sdk.TargetFunc(nil), nil })
	client := host.NewClient(attach(t, p, err))
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	require.Len(t, configured.Problems, 1)
	require.Contains(t, configured.Problems[0].Message, "the plugin declares the feature options and does not have it")
	_, err = client.Options(t.Context(), host.Instance{Name: "ops"}, "a")
	require.ErrorContains(t, err, "does not have it, which is a bug in it")
}

func declared[C any](features ...sdk.Feature) error {
	_, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", Features: features},
		func(context.Context, sdk.Env, C) (sdk.Source, error) { return sdk.SourceFunc(nil), nil })
	return err
}
