package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/calendar"
	"github.com/hookarr/hookarr/core/config"
)

// TestCalendars are what quiet and digest mean, defaults included.
func TestCalendars(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
targets:
  ops:
    plugin: webhook
    quiet: {zone: Europe/Berlin, days: mon-fri, hours: ["22:00-07:00", "sat, sun 23:00-09:00"]}
  local: {plugin: webhook, group: {}, quiet: {hours: 22:00-07:00, then: send}}
routes:
  - {name: a, to: [ops], digest: {at: 18:00, every: weekly, on: Friday, zone: Europe/Berlin}}
  - {name: b, to: [local], digest: {at: 7:30}}
`, "HOOKARR_TARGETS__LOCAL__QUIET_DAYS=sat,sun", "HOOKARR_TARGETS__LOCAL__GROUP_MAX_WAIT=1m")
	require.NoError(t, err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	weekend := calendar.On(time.Saturday, time.Sunday)

	ops, err := c.Targets["ops"].Quiet.Calendar()
	require.NoError(t, err)
	require.Equal(t, berlin.String(), ops.Zone.String())
	require.Equal(t, []calendar.Hours{
		{Days: calendar.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday), From: 22 * 60, Until: 7 * 60},
		{Days: weekend, From: 23 * 60, Until: 9 * 60},
	}, ops.Hours)
	require.Equal(t, config.ThenDigest, c.Targets["ops"].Quiet.Then)

	local, err := c.Targets["local"].Quiet.Calendar()
	require.NoError(t, err)
	require.Equal(t, calendar.Quiet{Zone: time.Local, Hours: []calendar.Hours{{Days: weekend, From: 22 * 60, Until: 7 * 60}}}, local)
	require.Equal(t, &config.Group{MaxWait: time.Minute}, c.Targets["local"].Group, "what is not given is the plugin's")

	weekly, err := c.Routes[0].Digest.Calendar()
	require.NoError(t, err)
	require.Equal(t, "Europe/Berlin", weekly.Zone.String())
	require.Equal(t, calendar.Times{Zone: weekly.Zone, At: 18 * 60, Days: calendar.On(time.Friday)}, weekly)
	daily, err := c.Routes[1].Digest.Calendar()
	require.NoError(t, err)
	require.Equal(t, calendar.Times{Zone: time.Local, At: 7*60 + 30}, daily)

	c, err = load(t, `
targets:
  ops: {plugin: webhook, group: off}
  local: {plugin: webhook, group: false}
`)
	require.NoError(t, err)
	require.Equal(t, &config.Group{By: config.GroupNone}, c.Targets["ops"].Group)
	require.Equal(t, &config.Group{By: config.GroupNone}, c.Targets["local"].Group)
}

func TestRedactedGroup(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
targets:
  local: {plugin: webhook, group: {max_wait: 1m}, quiet: {hours: 22:00-07:00}}
`)
	require.NoError(t, err)
	redacted, err := c.Redacted(nil)
	require.NoError(t, err)
	require.Contains(t, string(redacted), "group:\n            max_wait: 1m0s\n        quiet:", "what the plugin decides is not shown as 0")
}
