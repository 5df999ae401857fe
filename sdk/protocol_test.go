package sdk_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type speakerConfig struct {
	Address string     `json:"address" doc:"Where to speak."`
	Token   sdk.Secret `json:"token" doc:"A token."`
}

// newSpeaker makes a target that says lines to a server, which answers each with one.
func newSpeaker(_ context.Context, _ sdk.Env, c speakerConfig) (sdk.Target, error) {
	return sdk.TargetFunc(func(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
		said := c.Token.Reveal() + " says " + d.Event.Title
		req, err := http.NewRequestWithContext(ctx, "SAY", "lines://"+c.Address, strings.NewReader(said))
		if err != nil {
			return sdk.Receipt{}, err
		}
		req.Header.Set("From", "speaker")
		if err := sdk.Record(req); err != nil && d.Event.Title != "careless" {
			return sdk.Receipt{}, err
		}
		conn, err := sdk.Dial(ctx, c.Address)
		if err != nil {
			return sdk.Receipt{}, err
		}
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprintln(conn, said); err != nil {
			return sdk.Receipt{}, err
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && answer != "ok\n" {
			err = errors.New(answer)
		}
		return sdk.Receipt{}, err
	}), nil
}

// A target of another protocol shows what it sends, and sends nothing in a preview.
func TestAnotherProtocolIsRecorded(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	heard := make(chan string, 10)
	served := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-served
	})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			heard <- line
			answer := "ok\n"
			if strings.Contains(line, "bad") {
				answer = "no\n"
			}
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "speaker", Version: "1.0.0", Features: []sdk.Feature{sdk.FeaturePreview}}, newSpeaker)
	client := host.NewClient(attach(t, p, err))
	config := plugintest.Config(t, map[string]any{"address": l.Addr().String(), "token": "the-t0ken"})
	_, err = client.Configure(t.Context(), []host.Instance{{Name: "ops", Config: config}}, false)
	require.NoError(t, err)

	want := host.Request{
		Method: "SAY", URL: "lines://" + l.Addr().String(), Header: http.Header{"From": {"speaker"}}, Body: "[redacted] says hello",
	}
	for title, body := range map[string]string{"hello": want.Body, "careless": "[redacted] says careless"} {
		shown, err := client.Preview(t.Context(), "ops", titled(t, "d", title))
		require.NoError(t, err)
		want.Body = body
		require.Equal(t, want, shown.Request)
	}
	require.Empty(t, heard, "a preview was sent")

	o, err := client.Deliver(t.Context(), "ops", titled(t, "d", "good"))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "the-t0ken says good\n", <-heard)
	o, err = client.Deliver(t.Context(), "ops", titled(t, "d", "bad"))
	require.NoError(t, err)
	require.Equal(t, "[redacted] says bad", o.Sent.Body)
}
