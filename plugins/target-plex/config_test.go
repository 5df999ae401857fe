package plex

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

func good() config {
	return config{Token: "t0ken", Config: mediaserver.Config{BlindConfig: mediaserver.BlindConfig{
		URL: "http://plex.example:32400/", ProveWithin: sdk.Duration(time.Minute), Map: []pathmap.Pair{{From: "/tv", To: `D:\TV`}}, Libraries: []string{"TV"},
	}, Anchors: []string{`\\nas\tv\.mounted`}}}
}

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	fine := good()
	require.NoError(t, fine.Validate())
	require.Equal(t, "http://plex.example:32400", fine.Base())
	for want, change := range map[string]func(c *config){
		"url: is not a URL":             func(c *config) { c.URL = "plex.example:32400" },
		"url: has more than":            func(c *config) { c.URL = "http://plex.example:32400/?X-Plex-Token=s3cret" },
		"token: is not a token":         func(c *config) { c.Token = "X-Plex-Token=s3cret" },
		"map[0].from: must be a whole":  func(c *config) { c.Map[0].From = "tv" },
		"libraries[0]: is empty":        func(c *config) { c.Libraries[0] = "" },
		"anchors[0]: is no absolute":    func(c *config) { c.Anchors[0] = ".mounted" },
		"prove_within: is out of range": func(c *config) { c.ProveWithin = 0 },
	} {
		bad := good()
		change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cret")
	}
}
