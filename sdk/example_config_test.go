package sdk_test

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/hookarr/hookarr/sdk"
)

// settings are those of a target that has a media server scan its sections.
type settings struct {
	URL      string       `json:"url"      hookarr:"required"                        doc:"Address of the media server."`
	Token    sdk.Secret   `json:"token"    hookarr:"required"                        doc:"Its token."`
	Timeout  sdk.Duration `json:"timeout"  hookarr:"default=10s"                     doc:"Time for one request."`
	Mode     string       `json:"mode"     hookarr:"default=scan,enum=scan|refresh" doc:"What to ask for."`
	All      bool         `json:"all"      doc:"Scan every section."`
	Sections []string     `json:"sections" doc:"The sections to scan."`
}

// Validate says what the tags cannot.
func (s settings) Validate() error {
	var errs []error
	if u, err := url.Parse(s.URL); err != nil {
		errs = append(errs, sdk.Problem("url", "is not a URL"))
	} else if err := sdk.CheckURL(u); err != nil {
		errs = append(errs, sdk.Problem("url", err.Error()))
	}
	if s.All && len(s.Sections) > 0 {
		errs = append(errs, sdk.Problem("sections", "does not go with all"))
	}
	return errors.Join(errs...)
}

// Tags say all that can be said of one key, and Validate says the rest. The SDK calls it
// after the checks that the tags stand for.
func Example_configuration() {
	fmt.Println(settings{URL: "http://169.254.169.254/", All: true, Sections: []string{"1"}}.Validate())
	fmt.Println(settings{URL: "http://nas:32400", Sections: []string{"1"}}.Validate())
	// Output:
	// url: 169.254.169.254 is not an address to deliver to: link-local, metadata, multicast and unspecified addresses are refused
	// sections: does not go with all
	// <nil>
}
