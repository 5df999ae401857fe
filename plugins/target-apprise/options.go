package apprise

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// maxAnswer bounds an answer, in bytes: the services of a stored configuration are a few KiB.
const maxAnswer = 1 << 20

// Options returns the tags of the stored configuration, each with the kinds of services that
// have it. The key is tag: no other has options. The answer is that of JsonUrlView in
// apprise_api/api/views.py of caronc/apprise-api.
func (t *target) Options(ctx context.Context, _ string) ([]sdk.Option, error) {
	if t.stored == nil {
		return nil, errors.New("tags are of services in a stored configuration: set key in the place of urls")
	}
	address := *t.stored
	address.RawQuery = url.Values{"privacy": {"1"}}.Encode() // credentials are of no use here
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return nil, errors.New("url is not a valid URL")
	}
	var told struct {
		Tags []string
		URLs []struct {
			URL  string
			Tags []string
		}
	}
	resp, err := t.http.JSON(req, nil, &told)
	switch {
	case resp != nil && resp.Status == http.StatusNoContent:
		return nil, errors.New("the server has no stored configuration with this key: check key")
	case resp != nil && resp.Status == http.StatusForbidden:
		return nil, fmt.Errorf("%w: the server does not show stored configurations; its settings forbid it", err)
	case err != nil:
		return nil, fmt.Errorf("ask the Apprise API server for tags: %w", err)
	}
	kinds := map[string]map[string]bool{}
	for _, tag := range told.Tags {
		kinds[tag] = map[string]bool{}
	}
	for _, u := range told.URLs {
		scheme, _, _ := strings.Cut(u.URL, "://")
		for _, tag := range u.Tags {
			if kinds[tag] != nil {
				kinds[tag][scheme] = true
			}
		}
	}
	var options []sdk.Option
	for _, tag := range slices.Sorted(maps.Keys(kinds)) {
		options = append(options, sdk.Option{Value: tag, Label: strings.Join(slices.Sorted(maps.Keys(kinds[tag])), ", ")})
	}
	return options, nil
}
