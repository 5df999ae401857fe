package plugintest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type targetConfig struct {
	URL    sdk.Secret            `json:"url"     hookarr:"required"         doc:"Where to post to."`
	Key    sdk.Secret            `json:"key"     doc:"Sent as a bearer token."`
	Method string                `json:"method"  hookarr:"default=POST,enum=POST|PUT" doc:"HTTP method."`
	Extra  map[string]sdk.Secret `json:"headers" doc:"Headers to add."`
}

func targetInfo() sdk.Info {
	return sdk.Info{Name: "sample", Version: "1.0.0", Summary: "Posts titles."}
}

func newTarget(_ context.Context, env sdk.Env, c targetConfig) (sdk.Target, error) {
	return sdk.TargetFunc(func(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
		env.Log.DebugContext(ctx, "delivering", "key", c.Key.Reveal(), "url", c.URL.Reveal(), "config", fmt.Sprint(c))
		body, err := json.Marshal(map[string]string{"title": d.Event.Title, "attempt": strconv.Itoa(d.Attempt)})
		if err != nil {
			return sdk.Receipt{}, err
		}
		req, err := http.NewRequestWithContext(ctx, c.Method, c.URL.Reveal(), bytes.NewReader(body))
		if err != nil {
			return sdk.Receipt{}, sdk.Misconfigured(errors.New("url is none"))
		}
		req.Header.Set("Authorization", "Bearer "+c.Key.Reveal())
		req.Header.Set("Idempotency-Key", d.ID)
		for name, value := range c.Extra {
			req.Header.Set(name, value.Reveal())
		}
		return env.HTTP.Do(req)
	}), nil
}

func TestTargetSuite(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, targetInfo(), newTarget, plugintest.TargetSuite{
		Config: func(url string) any {
			return map[string]any{
				"url": url, "key": "key with \"quotes\" & signs", "headers": map[string]string{"X-Other": "other-secret-value"},
			}
		},
		Accepts: func(r *http.Request) error {
			var body struct{ Title, Attempt string }
			return json.NewDecoder(r.Body).Decode(&body)
		},
		IdempotencyKey: func(r *http.Request) string { return r.Header.Get("Idempotency-Key") },
	})
}

type publicConfig struct {
	URL   string     `json:"url"   hookarr:"required" doc:"Where to post to, which anybody may know."`
	Token sdk.Secret `json:"token" hookarr:"required" doc:"Goes behind the URL."`
}

// newPublicTarget posts to a public URL with the secret behind it, in a header and in the
// body.
func newPublicTarget(_ context.Context, env sdk.Env, c publicConfig) (sdk.Target, error) {
	return sdk.TargetFunc(func(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
		env.Log.DebugContext(ctx, "delivering", "url", c.URL, "token", c.Token.Reveal())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/"+c.Token.Reveal(), strings.NewReader(d.Event.Title+c.Token.Reveal()))
		if err != nil {
			return sdk.Receipt{}, sdk.Misconfigured(errors.New("url is none"))
		}
		req.Header.Set("X-Token", c.Token.Reveal())
		return env.HTTP.Do(req)
	}), nil
}

func publicSuite() plugintest.TargetSuite {
	return plugintest.TargetSuite{
		Config:    func(url string) any { return map[string]any{"url": url, "token": "the secret of the public"} },
		PublicURL: true,
	}
}

func TestTargetSuiteWithAPublicURL(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, targetInfo(), newPublicTarget, publicSuite())
}
