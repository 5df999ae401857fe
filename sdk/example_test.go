package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// A target: main would be no more than
//
//	sdk.ServeTarget(sdk.Info{Name: "chat", Version: "0.1.0", Summary: "Posts titles to a chat."}, newChat)
func Example_target() {
	type config struct {
		URL sdk.Secret `json:"url" hookarr:"required" doc:"Where to post to."`
	}
	newChat := func(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
		return sdk.TargetFunc(func(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
			return env.HTTP.PostJSON(ctx, c.URL, map[string]string{"text": d.Event.Title})
		}), nil
	}

	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	defer chat.Close()
	target, err := newChat(context.Background(), sdk.Env{HTTP: &sdk.HTTP{}}, config{URL: sdk.Secret(chat.URL)})
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := target.Deliver(context.Background(), sdk.Delivery{Event: sdk.Event{Title: "Dune: Part Two (2024)"}})
	class, _ := sdk.ClassOf(err)
	fmt.Println(receipt.Status, class)
	// Output: 429 throttled
}

// A source: the same request gives the same event at any time.
func Example_source() {
	decode := sdk.SourceFunc(func(_ context.Context, r sdk.Request) (sdk.Event, error) {
		var body struct{ Event, Title, ID string }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			return sdk.Event{}, sdk.Invalid(fmt.Errorf("read the body: %w", err))
		}
		if body.Event == "heartbeat" {
			return sdk.Event{}, sdk.Skip("a heartbeat is no event")
		}
		return sdk.Event{
			App: "sample", Type: sdk.TypeMediaImported, NativeType: body.Event, Title: body.Title,
			Fingerprint: body.Event + ":" + body.ID,
		}, nil
	})

	for _, body := range []string{`{"event":"import","title":"Dune","id":"7"}`, `{"event":"heartbeat"}`, `<html>`} {
		e, err := decode.Decode(context.Background(), sdk.Request{Body: []byte(body)})
		reason, skipped := sdk.SkipReason(err)
		_, invalid := sdk.AsInvalid(err)
		fmt.Println(e.Type, e.Fingerprint, skipped, reason, invalid)
	}
	// Output:
	// media.imported import:7 false  false
	//   true a heartbeat is no event false
	//   false  true
}

// An endpoint whose own words say more than its status.
func ExampleHTTP_Send() {
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no_service", http.StatusBadRequest)
	}))
	defer chat.Close()
	client := &sdk.HTTP{} // Env.HTTP in a plugin

	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, chat.URL, strings.NewReader(`{"text":"hello"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Send(req)
	if resp == nil {
		fmt.Println("no answer:", err)
		return
	}
	class, _ := sdk.ClassOf(err)
	fmt.Println(class, err)
	if strings.TrimSpace(string(resp.Body)) == "no_service" {
		err = sdk.Misconfigured(errors.New("the webhook was removed"))
	}
	class, _ = sdk.ClassOf(err)
	fmt.Println(class, err)
	// Output:
	// permanent the endpoint answered 400 Bad Request
	// misconfigured the webhook was removed
}

// An API of JSON, asked by a source's Fetch.
func ExampleHTTP_JSON() {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"overview":"asked for %s with %s"}`, r.URL.Path, r.Header.Get("X-Api-Key"))
	}))
	defer app.Close()
	client := &sdk.HTTP{} // Env.HTTP in a plugin

	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, app.URL+"/api/items/7", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("X-Api-Key", sdk.Secret("key").Reveal())
	var item struct{ Overview string }
	_, err = client.JSON(req, nil, &item)
	fmt.Println(item.Overview, err)
	// Output: asked for /api/items/7 with key <nil>
}

// Discord counts the characters of a message as JavaScript does, up to 2,000.
func ExampleCut() {
	const limit = 8
	fmt.Println(sdk.Cut("🎬🎬🎬🎬🎬", limit, sdk.UTF16))
	fmt.Println(sdk.Cut("🎬🎬🎬🎬🎬", limit, sdk.Bytes))
	// Output:
	// 🎬🎬🎬🎬
	// 🎬🎬
}
