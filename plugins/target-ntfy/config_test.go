package ntfy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
)

func good() config {
	return config{Server: "https://ntfy.sh", Topic: endpoint.NtfyTopic, Look: message.LookStandard, Images: imagesURL}
}

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	fine := good()
	fine.Username, fine.Password, fine.Icon = "phil", "s3cret", "https://a.example/icon.png"
	fine.Priorities = template.ByType[int]{"health.*": 5, "*": 1}
	require.NoError(t, fine.Validate())
	for name, c := range map[string]struct {
		change func(c *config)
		want   string
	}{
		"server":        {func(c *config) { c.Server = "ntfy.sh" }, "server: "},
		"server's user": {func(c *config) { c.Server = "https://u:s3cret@ntfy.example" }, "server: "},
		"server, query": {func(c *config) { c.Server = "https://ntfy.example/?auth=s3cret" }, "server: "},
		"metadata":      {func(c *config) { c.Server = "http://169.254.169.254" }, "server: "},
		"topic":         {func(c *config) { c.Topic = "https://ntfy.sh/s3cret" }, "topic: "},
		"long topic":    {func(c *config) { c.Topic = "s3cret" + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" }, "topic: "},
		"both":          {func(c *config) { c.Token, c.Username, c.Password = "tk_s3cret", "phil", "s3cret" }, "token: "},
		"no password":   {func(c *config) { c.Username = "phil" }, "password: "},
		"no user":       {func(c *config) { c.Password = "s3cret" }, "password: "},
		"icon":          {func(c *config) { c.Icon = "icon.png" }, "icon: "},
		"priority":      {func(c *config) { c.Priorities = template.ByType[int]{"media.*": 6} }, "priorities.media.*: "},
		"pattern":       {func(c *config) { c.Priorities = template.ByType[int]{"media.[": 3} }, "priorities.media.[: "},
		"templates":     {func(c *config) { c.Templates = template.ByType[template.Template]{"": {}} }, "templates.: "},
	} {
		bad := good()
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}
