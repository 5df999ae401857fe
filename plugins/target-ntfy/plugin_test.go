package ntfy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPlugin(t *testing.T) {
	t.Parallel()
	const token = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config: func(endpointURL string) any {
			return map[string]any{
				"server": endpointURL, "topic": endpoint.NtfyTopic, "token": token, "icon": "https://a.example/icon.png",
				"priorities": map[string]int{"health.*": 5},
			}
		},
		// What is secret is the topic and the token.
		PublicURL: true,
		Accepts: func(r *http.Request) error {
			ntfy := endpoint.Ntfy{Authorization: "Bearer " + token}
			r = r.Clone(r.Context())
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/hooks")
			answer := httptest.NewRecorder()
			ntfy.ServeHTTP(answer, r)
			if answer.Code != http.StatusOK {
				return fmt.Errorf("answered %d: %s", answer.Code, strings.Join(ntfy.Refused(), "; "))
			}
			return nil
		},
		Answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":"ntfy00000001","event":"message"}`)
		},
		IdempotencyKey: func(r *http.Request) string {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				return ""
			}
			r.Body = io.NopCloser(bytes.NewReader(data))
			var n note
			if json.Unmarshal(data, &n) != nil {
				return ""
			}
			return n.SequenceID
		},
	})
}
