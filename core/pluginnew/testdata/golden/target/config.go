package main

import (
	"net/url"

	"github.com/hookarr/hookarr/sdk"
)

// config is the configuration of one instance. Its tags are the only declaration: checks,
// defaults and documentation come from them.
type config struct {
	URL      sdk.Secret `json:"url" hookarr:"required,title=Endpoint" doc:"URL to post to."`
	MaxTitle int        `json:"max_title" hookarr:"default=200,title=Longest title,advanced" jsonschema:"minimum=1" doc:"Most characters of a title; the rest is cut off."`
}

// Validate checks what tags cannot say. No error shows the URL, which may be a credential.
func (c config) Validate() error {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil {
		return sdk.Problem("url", "is not a URL")
	}
	if err := sdk.CheckURL(u); err != nil {
		return sdk.Problem("url", "is not an endpoint's: "+err.Error())
	}
	return nil
}
