package plugintest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type sourceConfig struct {
	BaseURL string `json:"base_url" hookarr:"required" doc:"For links."`
}

func sourceInfo() sdk.Info {
	return sdk.Info{Name: "sample", Version: "1.0.0", Summary: "Decodes samples."}
}

func newSource(_ context.Context, _ sdk.Env, c sourceConfig) (sdk.Source, error) {
	return sdk.SourceFunc(func(_ context.Context, r sdk.Request) (sdk.Event, error) {
		var body struct {
			Event, Title string
			ID           int
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			return sdk.Event{}, sdk.Invalid(fmt.Errorf("read the body: %w", err))
		}
		types := map[string]sdk.Type{"Grab": sdk.TypeReleaseGrabbed, "Import": sdk.TypeMediaImported}
		typ, ok := types[body.Event]
		switch {
		case body.Event == "Ping":
			return sdk.Event{}, sdk.Skip("a ping is no event")
		case body.Event == "Test":
			return sdk.Event{}, sdk.InvalidTest(errors.New("the connection is not set up"))
		case !ok || body.Title == "":
			return sdk.Event{}, sdk.Invalid(errors.New("the body is not Sample's"))
		}
		_, version, _ := strings.Cut(r.Header.Get("User-Agent"), "/")
		return sdk.Event{
			App: "sample", AppVersion: version, Type: typ, NativeType: body.Event, Title: body.Title,
			Summary: body.Event + " " + body.Title, URL: c.BaseURL + "/1", Fingerprint: fmt.Sprintf("%s-%d", body.Event, body.ID),
		}, nil
	}), nil
}

func sourceSuite() plugintest.SourceSuite {
	return plugintest.SourceSuite{Config: map[string]any{"base_url": "http://nas:8989"}}
}

func TestSourceSuite(t *testing.T) {
	t.Parallel()
	plugintest.TestSource(t, sourceInfo(), newSource, sourceSuite())
}

func FuzzSourceSuite(f *testing.F) {
	plugintest.FuzzSource(f, sourceInfo(), newSource, sourceSuite())
}
