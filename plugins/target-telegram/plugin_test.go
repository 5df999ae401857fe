package telegram

import (
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
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config: func(endpointURL string) any {
			return map[string]any{
				"api_url": endpointURL, "bot_token": endpoint.TelegramToken, "chat_id": -1001234567890, "message_thread_id": 42,
				"silent": []string{"release.*"},
			}
		},
		// The secret is the bot's token.
		PublicURL: true,
		Accepts: func(r *http.Request) error {
			var telegram endpoint.Telegram
			r = r.Clone(r.Context())
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/hooks")
			answer := httptest.NewRecorder()
			telegram.ServeHTTP(answer, r)
			if answer.Code != http.StatusOK {
				return fmt.Errorf("answered %d: %s", answer.Code, strings.Join(telegram.Refused(), "; "))
			}
			return nil
		},
		Answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":101}}`)
		},
	})
}
