package route_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

func episode() *sdk.Event {
	return &sdk.Event{
		Type:     sdk.TypeMediaImported,
		Media:    &sdk.Media{Kind: "series", ID: "7", Title: "The Long Season", Path: "/tv/The Long Season"},
		Episodes: []sdk.Episode{{Season: 2, Number: new(3)}},
		Files:    []sdk.File{{Path: `D:\tv\The Long Season\Season 02\a.mkv`}},
		Download: &sdk.Download{ID: "ABCD"},
	}
}

func renamed(to ...string) *sdk.Event {
	e := deleted()
	for _, path := range to {
		e.RenamedFiles = append(e.RenamedFiles, sdk.Rename{From: "/tv/old.mkv", To: path})
	}
	return e
}

func deleted(files ...sdk.File) *sdk.Event {
	return &sdk.Event{Type: sdk.TypeFileDeleted, Media: &sdk.Media{ID: "7", Path: "/tv/The Long Season/"}, DeletedFiles: files}
}

// groupingOf is how the one route with a group gathers an event for a chat.
func groupingOf(t *testing.T, g *config.Group, e *sdk.Event) event.Grouping {
	t.Helper()
	table, err := route.New([]config.Route{{Name: "r", To: []string{"chat"}, Group: g}})
	require.NoError(t, err)
	table = table.WithPowers(map[string]route.Powers{"chat": {Groups: true, FoldUpgrades: true}})
	matches := table.Match("sonarr", e, normalized(t, e))
	require.Len(t, matches, 1)
	return matches[0].Grouping
}

func normalized(t *testing.T, e *sdk.Event) []byte {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	return data
}

func TestGroupsAreByWhatEventsHaveInCommon(t *testing.T) {
	t.Parallel()

	bare := &sdk.Event{Type: sdk.TypeHealthIssue}
	album := &sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{ID: "1"}, Albums: []sdk.Album{{ID: "5"}}}
	for _, tt := range []struct {
		by    string
		event *sdk.Event
		key   string
		note  string
	}{
		{"", episode(), "sonarr/download/ABCD", ""},
		{"download", episode(), "sonarr/download/ABCD", ""},
		{"season", episode(), "sonarr/season/7/2", ""},
		{"season", album, "sonarr/season/1/5", ""},
		{"folder", episode(), "sonarr/folder/D:/tv/The Long Season/Season 02", ""},
		{"folder", renamed("/tv/The Long Season/Season 02/b.mkv"), "sonarr/folder//tv/The Long Season/Season 02", ""},
		{"folder", renamed("/tv/The Long Season/Season 01/a.mkv", "/tv/The Long Season/Season 02/b.mkv"), "sonarr/folder//tv/The Long Season", ""},
		{"folder", deleted(sdk.File{RelativePath: `Season 02\a.mkv`}), "sonarr/folder//tv/The Long Season/Season 02", ""},
		{"folder", deleted(sdk.File{Path: "/tv/The Long Season/Season 03/a.mkv"}), "sonarr/folder//tv/The Long Season/Season 03", ""},
		{"folder", deleted(), "sonarr/folder//tv/The Long Season", ""},
		{"title", episode(), "sonarr/title/7", ""},
		{"none", episode(), "", ""},
		{`event.media.id + "/" + event.download.id`, episode(), "sonarr/7/ABCD", ""},
		{"download", bare, "", "sent alone: the event has nothing that the group is by"},
		{`event.title`, bare, "", "sent alone: the event has nothing that the group is by"},
		{`event.media.id`, bare, "", "sent alone: the group's key cannot be told: column 1: cannot get id from media"},
	} {
		g := groupingOf(t, &config.Group{By: tt.by}, tt.event)
		require.Equal(t, tt.key, g.Key, tt.by)
		require.Equal(t, tt.note, g.Note, tt.by)
		require.Equal(t, tt.key != "", g.Gathered(), tt.by)
	}
}

func TestGroupsWaitAsTheyAreTold(t *testing.T) {
	t.Parallel()

	routes := []config.Route{{Name: "own", To: []string{"chat"}, Group: &config.Group{Wait: time.Hour}}, {Name: "of the target", To: []string{"phone"}}}
	table, err := route.New(routes)
	require.NoError(t, err)
	require.NoError(t, table.SetGroups(map[string]*config.Group{"phone": {Max: 5}, "chat": nil}))
	proposed := sdk.GroupDefaults{By: "title", Wait: 3 * time.Second, Max: 7}
	e := episode()
	require.Zero(t, table.Match("sonarr", e, normalized(t, e))[0].Grouping, "nobody knows what the plugins take")
	table = table.WithPowers(map[string]route.Powers{"chat": {Groups: true, Proposed: proposed}, "phone": {Groups: true, Proposed: proposed}})
	matches := table.Match("sonarr", e, normalized(t, e))
	require.Len(t, matches, 2)
	require.Equal(t, event.Grouping{Key: "sonarr/title/7", Wait: time.Hour, MaxWait: time.Hour, Max: 7}, matches[0].Grouping)
	require.Equal(t, event.Grouping{Key: "sonarr/title/7", Wait: 3 * time.Second, MaxWait: 5 * time.Minute, Max: 5}, matches[1].Grouping)

	single := table.WithPowers(map[string]route.Powers{"chat": {}, "phone": {}})
	require.Equal(t, "sent alone: the target's plugin takes one event at a time", single.Match("sonarr", e, normalized(t, e))[0].Grouping.Note)
}

// TestPluginsMayWantGroups where the operator says nothing else.
func TestPluginsMayWantGroups(t *testing.T) {
	t.Parallel()

	off := &config.Group{By: config.GroupNone}
	e := episode()
	for _, tt := range []struct {
		name          string
		target, route *config.Group
		powers        route.Powers
		event         *sdk.Event
		key           string
	}{
		{name: "as it proposes", key: "sonarr/season/7/2"},
		{name: "nothing in common", event: &sdk.Event{Type: sdk.TypeHealthIssue}},
		{name: "off at the target", target: off},
		{name: "off at the route", route: off},
		{name: "the target's own", target: &config.Group{By: "title"}, key: "sonarr/title/7"},
		{name: "the route's own", target: off, route: &config.Group{By: "title"}, key: "sonarr/title/7"},
		{name: "takes one at a time", powers: route.Powers{Proposed: sdk.GroupDefaults{On: true}}},
		{name: "does not want it", powers: route.Powers{Groups: true, Proposed: sdk.GroupDefaults{By: "season"}}},
	} {
		table, err := route.New([]config.Route{{Name: "r", To: []string{"plex"}, Group: tt.route}})
		require.NoError(t, err)
		require.NoError(t, table.SetGroups(map[string]*config.Group{"plex": tt.target}))
		if !tt.powers.Groups && !tt.powers.Proposed.On {
			tt.powers = route.Powers{Groups: true, Proposed: sdk.GroupDefaults{On: true, By: "season", Wait: time.Second}}
		}
		if tt.event == nil {
			tt.event = e
		}
		g := table.WithPowers(map[string]route.Powers{"plex": tt.powers}).Match("sonarr", tt.event, normalized(t, tt.event))[0].Grouping
		require.Equal(t, tt.key, g.Key, tt.name)
		require.Empty(t, g.Note, tt.name)
	}
}

// TestEndOfADownloadClosesItsGroup also where the route leaves the end itself out.
func TestEndOfADownloadClosesItsGroup(t *testing.T) {
	t.Parallel()

	end := episode()
	end.Type = sdk.TypeImportCompleted
	require.True(t, groupingOf(t, &config.Group{}, end).Flush)
	table, err := route.New([]config.Route{
		{Name: "media", Types: []string{"media.*"}, To: []string{"chat"}, Group: &config.Group{}},
		{Name: "all", To: []string{"chat"}, Group: &config.Group{}},
		{Name: "others", From: []string{"radarr"}, Types: []string{"media.*"}, To: []string{"chat"}, Group: &config.Group{}},
	})
	require.NoError(t, err)
	table = table.WithPowers(map[string]route.Powers{"chat": {Groups: true}})
	require.Equal(t, []event.GroupRef{{Target: "chat", Route: "media", Key: "sonarr/download/ABCD"}}, table.Flushes("sonarr", end, normalized(t, end)))
	require.Empty(t, table.Flushes("sonarr", episode(), normalized(t, episode())))
}

func TestDeletionsAreFoldedIntoUpgrades(t *testing.T) {
	t.Parallel()

	old := []sdk.File{{Path: "/tv/a.mkv"}, {RelativePath: "b.mkv"}, {}}
	deletion := &sdk.Event{Type: sdk.TypeFileDeletedForUpgrade, DeletedFiles: old}
	upgrade := episode()
	upgrade.Type, upgrade.DeletedFiles = sdk.TypeMediaUpgraded, old
	keys := []string{"sonarr//tv/a.mkv", "sonarr/b.mkv"}
	require.Equal(t, event.Grouping{Deleted: keys}, groupingOf(t, &config.Group{}, deletion))
	require.Equal(t, event.Grouping{Replaced: keys}, groupingOf(t, nil, upgrade), "without a group, too")
	g := groupingOf(t, &config.Group{}, upgrade)
	require.Equal(t, keys, g.Replaced)
	require.Equal(t, "sonarr/download/ABCD", g.Key)
}

func TestDigestsAreDueAtTheirTime(t *testing.T) {
	t.Parallel()

	table, err := route.New([]config.Route{{Name: "r", To: []string{"chat"}, Digest: &config.Digest{At: "18:00", Every: config.Daily, Zone: "Europe/Berlin"}}})
	require.NoError(t, err)
	table = table.WithPowers(map[string]route.Powers{"chat": {Groups: true}})
	e := episode()
	g := table.Match("sonarr", e, normalized(t, e))[0].Grouping
	require.Equal(t, "digest", g.Key)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	require.Equal(t, "18:00:00", g.At.In(berlin).Format(time.TimeOnly))
	require.True(t, g.At.After(time.Now()))
	require.Equal(t, g.At, g.Closing(time.Now()))

	e.Type = sdk.TypeTest
	alone, err := route.New([]config.Route{{Name: "r", To: []string{"chat"}, Types: []string{"test"}, Digest: &config.Digest{At: "18:00", Every: config.Daily}}})
	require.NoError(t, err)
	alone = alone.WithPowers(map[string]route.Powers{"chat": {Groups: true}})
	require.Zero(t, alone.Match("sonarr", e, normalized(t, e))[0].Grouping, "somebody waits for it")
}

func TestBadGroupKeysAreNamed(t *testing.T) {
	t.Parallel()

	_, err := route.New([]config.Route{{Name: "r", To: []string{"chat"}, Group: &config.Group{By: "event.media.nam"}}})
	p, ok := errors.AsType[*route.Problem](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "routes[0].group.by", p.Key)
	require.Contains(t, p.Message, `column 13: an event has no field "nam" here`)
	table, err := route.New(nil)
	require.NoError(t, err)
	err = table.SetGroups(map[string]*config.Group{"chat": {By: "event.media.year"}})
	p, ok = errors.AsType[*route.Problem](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "targets.chat.group.by", p.Key)
	require.Contains(t, p.Message, "write a text such as event.media.id")
	err = table.SetGroups(map[string]*config.Group{"chat": {By: "downlod"}})
	require.ErrorContains(t, err, `"downlod" is no kind of group: write a text such as event.media.id + "/" + event.download.id, `+
		`or one of download, season, folder, title and none; did you mean "download"?`)
}

// FuzzGroupBy compiles any expression and evaluates it over an event.
func FuzzGroupBy(f *testing.F) {
	f.Add(`event.media.id + "/" + event.download.id`)
	f.Add(`join(map(event.files, .path), ",")`)
	f.Add("season")
	data, err := json.Marshal(episode())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, by string) {
		table, err := route.New([]config.Route{{Name: "r", To: []string{"chat"}, Group: &config.Group{By: by}}})
		if err != nil {
			return
		}
		table = table.WithPowers(map[string]route.Powers{"chat": {Groups: true}})
		require.Len(t, table.Match("sonarr", episode(), data), 1)
	})
}
