package kodi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// off is how long nobody tries again where Kodi does not answer.
const off = 5 * time.Minute

// The errors of JSON-RPC that mean more than a failure: https://kodi.wiki/view/JSON-RPC_API.
// Their status is 200.
const (
	codeNoRight       = -32099
	codeUnknownMethod = -32601
	codeParams        = -32602
)

// rpcError is an error of the API.
type rpcError struct {
	Code    int
	Message string
}

func (e *rpcError) Error() string { return fmt.Sprintf("Kodi answered %d: %s", e.Code, e.Message) }

// refuses reports whether Kodi did not take the parameters, as with a folder that is not
// there.
func refuses(err error) bool {
	e, ok := errors.AsType[*rpcError](err)
	return ok && e.Code == codeParams
}

// call calls a method. A Kodi that does not answer is switched off: the target waits, and
// nobody is alarmed.
func (k *kodi) call(ctx context.Context, method string, params map[string]any, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.base+"/jsonrpc", http.NoBody)
	if err != nil {
		return sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	if k.username != "" {
		req.SetBasicAuth(k.username, k.password.Reveal())
	}
	in := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method}
	if params != nil {
		in["params"] = params
	}
	var answer struct {
		Result json.RawMessage
		Error  *rpcError
	}
	err = mediaserver.JSON(k.http, req, in, &answer, "check username and password, in Settings, Services, Control")
	class, _ := sdk.ClassOf(err)
	switch {
	case err != nil && mediaserver.StatusOf(err) == 0 && class == sdk.ClassRetryable && !errors.Is(ctx.Err(), context.Canceled):
		return sdk.Throttled(off, fmt.Errorf("no answer from Kodi, which is asked again when it may be switched on: %w", err))
	case err != nil:
		return err
	case answer.Error != nil && answer.Error.Code == codeNoRight:
		return sdk.Misconfigured(fmt.Errorf("%w: allow programs on other systems to control it, in Settings, Services, Control", answer.Error))
	case answer.Error != nil && answer.Error.Code == codeUnknownMethod:
		return sdk.Misconfigured(fmt.Errorf("%w: Kodi 19 or later is needed for %s", answer.Error, method))
	case answer.Error != nil:
		return answer.Error
	case answer.Result == nil:
		return sdk.Misconfigured(errors.New("the answer is not that of Kodi's API: check url"))
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(answer.Result, into); err != nil {
		return fmt.Errorf("read the answer to %s: %w", method, err)
	}
	return nil
}
