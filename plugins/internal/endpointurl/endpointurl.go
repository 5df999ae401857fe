// Package endpointurl checks the URL that a target is configured with.
package endpointurl

import (
	"net/url"

	"github.com/hookarr/hookarr/sdk"
)

// Parse returns the URL of an endpoint, or a problem with the key that holds it: also
// where the URL has an address that is never dialled. The problem does not repeat the
// URL, which often is a credential.
func Parse(key string, raw sdk.Secret) (*url.URL, error) {
	u, err := url.Parse(raw.Reveal())
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, sdk.Problem(key, "is not a URL; write it in full, with https:// or http:// and the host")
	}
	if err := sdk.CheckURL(u); err != nil {
		return nil, sdk.Problem(key, err.Error()+"; write that of the endpoint")
	}
	return u, nil
}
