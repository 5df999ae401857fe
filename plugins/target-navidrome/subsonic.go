package navidrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// The errors of the Subsonic API that say what is wrong, whose status is 200 as that of
// every answer: https://opensubsonic.netlify.app/docs/responses/error/.
const (
	codeGeneric  = 0
	codeNoRight  = 50
	codeNotFound = 70
)

const hint = "check username and password"

// status is what getScanStatus tells. An answer before the first scan has no LastScan.
type status struct {
	Scanning bool
	LastScan time.Time
	Error    string
}

// status returns whether a scan runs, when the last one ended and what was wrong with it.
func (n *navidrome) status(ctx context.Context) (status, error) {
	var got struct{ ScanStatus status }
	err := n.rest(ctx, "getScanStatus", nil, &got)
	return got.ScanStatus, err
}

// rest calls a method of the Subsonic API and decodes what its answer has beside the
// status. The password goes in the body as it is: of the digest that the API takes
// instead, nobody could keep the requests that operators see clean.
func (n *navidrome) rest(ctx context.Context, method string, params url.Values, into any) error {
	form := url.Values{"u": {n.username}, "p": {n.password.Reveal()}, "v": {"1.16.1"}, "c": {"hookarr"}, "f": {"json"}}
	maps.Copy(form, params)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.base+"/rest/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		return sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Response json.RawMessage `json:"subsonic-response"`
	}
	if err := mediaserver.JSON(n.http, req, nil, &answer, hint); err != nil {
		return err
	}
	var said struct {
		Status string
		Error  struct {
			Code    int
			Message string
		}
	}
	if json.Unmarshal(answer.Response, &said) != nil || said.Status == "" {
		return sdk.Misconfigured(errors.New("the answer is not that of Navidrome's Subsonic API: check url"))
	}
	if said.Status != "ok" {
		return refusal(said.Error.Code, said.Error.Message)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Response, into); err != nil {
		return fmt.Errorf("read the answer to %s: %w", method, err)
	}
	return nil
}

// refusal gives an error of the API its class.
func refusal(code int, message string) error {
	err := fmt.Errorf("answered with error %d by Navidrome: %s", code, message)
	switch code {
	case codeGeneric:
		return err
	case codeNotFound:
		return fmt.Errorf("%w: %w", mediaserver.ErrStale, err)
	case codeNoRight:
		return sdk.Misconfigured(fmt.Errorf("%w: username has to be an administrator", err))
	default: // of the login, or of the protocol
		return sdk.Misconfigured(fmt.Errorf("%w: %s", err, hint))
	}
}
