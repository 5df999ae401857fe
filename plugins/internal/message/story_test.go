package message_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func told(t *testing.T, name string) message.Message {
	t.Helper()
	for _, s := range eventtest.Stories() {
		if s.Name == name {
			return message.New(s.Events...)
		}
	}
	require.Fail(t, "no such story", name)
	return message.Message{}
}

func TestTheLastStateLeads(t *testing.T) {
	t.Parallel()
	for name, headline := range map[string]string{
		"movie":                  "Movie imported",
		"movie_upgraded":         "Movie upgraded",
		"movie_late_grab":        "Movie imported",
		"movie_failed_twice":     "Download failed",
		"movie_by_hand":          "Movie imported",
		"season":                 "48 episodes imported",
		"season_begun":           "3 of 6 episodes imported",
		"season_upgraded":        "6 episodes upgraded",
		"season_partly_upgraded": "5 episodes imported",
		"scenes":                 "2 scenes imported",
		"album":                  "Album imported",
		"discography":            "2 of 3 albums imported",
		"book":                   "Book imported",
		"request":                "Request available",
		"request_pending":        "Request pending",
		"health":                 "Health restored",

		"movie_available":          "Movie available on Plex",
		"movie_available_twice":    "Movie available on Plex and Jellyfin",
		"movie_missing":            "Movie missing on Jellyfin",
		"movie_upgrade_available":  "Movie upgraded, available on Plex",
		"movie_only_available":     "Movie available on Plex",
		"movie_removed":            "File deleted",
		"movie_updated":            "Movie updated",
		"season_available":         "12 episodes available on Jellyfin",
		"season_partly_available":  "12 episodes available on Plex",
		"season_not_yet_available": "12 episodes imported",
	} {
		require.Equal(t, headline, told(t, name).Headline, name)
	}
}

func TestEarlierEventsFillWhatTheLastLacks(t *testing.T) {
	t.Parallel()
	got := values(told(t, "movie"))
	require.Equal(t, "Nyx", got["Indexer"])
	require.Equal(t, "WEB Tier 01", got["Custom formats"])
	require.Equal(t, "Dune.Part.Two.2024.1080p.WEB-DL.DDP5.1.Atmos-FLUX", got["Release"])

	got = values(told(t, "movie_upgraded"))
	require.Equal(t, "WEBDL-1080p → Bluray-2160p", got["Quality"])
	require.Equal(t, "8.5 → 64 GiB", got["Size"])
	require.Equal(t, "+1700 → +7350", got["Score"])

	got = values(told(t, "season_upgraded"))
	require.Equal(t, "WEBDL-1080p → WEBDL-2160p", got["Quality"])
	require.Equal(t, "12 → 24 GiB", got["Size"], "no file counts twice")

	got = values(told(t, "season"))
	require.Equal(t, "192 GiB", got["Size"], "the end of the import adds nothing")
}

// What one download was is not said of the next.
func TestFactsAreOfOneDownload(t *testing.T) {
	t.Parallel()
	event := func(typ sdk.Type, key string, second int) sdk.Event {
		return sdk.Event{
			ID: strconv.Itoa(second), Type: typ, Source: "radarr", Title: "Dune", CorrelationKey: key,
			Time: time.Unix(int64(second), 0), Media: &sdk.Media{Kind: "movie", ID: "1", Title: "Dune"},
		}
	}
	grab := event(sdk.TypeReleaseGrabbed, "download:1", 1)
	grab.Release = &sdk.Release{Indexer: "Nyx", Score: 100}
	other := event(sdk.TypeMediaUpgraded, "download:2", 2)
	got := values(message.New(grab, other))
	require.NotContains(t, got, "Indexer")
	require.Equal(t, "+100 → +0", got["Score"])
	other.CorrelationKey = grab.CorrelationKey
	require.Equal(t, "Nyx", values(message.New(grab, other))["Indexer"])
}

func TestHealthSaysHowLongItLasted(t *testing.T) {
	t.Parallel()
	at := func(typ sdk.Type, d time.Duration) sdk.Event {
		return sdk.Event{
			ID: d.String(), Type: typ, Source: "sonarr", Title: "Indexers", Time: time.Unix(0, 0).Add(d), CorrelationKey: "health:x",
			Health: &sdk.Health{Message: "down"},
		}
	}
	for want, lasted := range map[string]time.Duration{
		"less than a minute": 59 * time.Second, "1 min": 61 * time.Second, "2 h": 2*time.Hour + time.Second,
		"2 h 5 min": 125 * time.Minute, "1 d 1 h": 25*time.Hour + time.Minute,
	} {
		m := message.New(at(sdk.TypeHealthIssue, time.Hour), at(sdk.TypeHealthRestored, time.Hour+lasted))
		require.Equal(t, want, values(m)["Lasted"])
	}
	m := message.New(at(sdk.TypeHealthIssue, 1), at(sdk.TypeHealthRestored, 2), at(sdk.TypeHealthIssue, 3))
	require.Equal(t, "Health warning", m.Headline)
	require.NotContains(t, values(m), "Lasted")
}

func TestStoriesAreOfOneTitleOrOneDownload(t *testing.T) {
	t.Parallel()
	event := func(source, title, id, key string) sdk.Event {
		e := sdk.Event{Type: sdk.TypeMediaImported, Source: source, Title: title, CorrelationKey: key}
		if id != "" {
			e.Media = &sdk.Media{Kind: "movie", ID: id, Title: title}
		}
		return e
	}
	for name, c := range map[string]struct {
		a, b  sdk.Event
		story bool
	}{
		"one title":               {event("a", "Dune", "1", "x"), event("a", "Dune", "1", "y"), true},
		"one download":            {event("a", "Dune.2024.1080p", "", "x"), event("a", "Dune", "1", "x"), true},
		"one download elsewhere":  {event("a", "Dune", "1", "x"), event("b", "Dune", "2", "x"), true},
		"one check, two sources":  {event("a", "Dune", "1", "x"), event("b", "Alien", "1", "x"), false},
		"one id, two sources":     {event("a", "Dune", "1", "x"), event("b", "Dune", "1", "y"), false},
		"one name, two titles":    {event("a", "Dune", "1", "x"), event("a", "Dune", "2", "y"), false},
		"nothing but the source":  {event("a", "Dune", "", ""), event("a", "Alien", "", ""), false},
		"nothing but empty names": {event("a", "", "", ""), event("a", "", "", ""), false},
	} {
		m := message.New(c.a, c.b)
		require.Equal(t, !c.story, strings.HasPrefix(m.Headline, "Digest: "), "%s: %s", name, m.Headline)
	}
}

func TestADigestBeginsWithProblems(t *testing.T) {
	t.Parallel()
	m := told(t, "digest_trouble")
	require.Equal(t, "Digest: 3 imported, 1 health issue, 1 failed download", m.Headline)
	require.Equal(t, "6 events of 3 titles", m.Title)
	require.Equal(t, message.SeverityBad, m.Severity)
	require.Equal(t, []string{
		"❌ Dune: Part Two (2024): download failed: The download is stalled with no connections",
		"⚠️ Indexer status check: Indexers unavailable due to failures: Nyx",
		"Severance: 3 episodes imported",
	}, m.List)

	m = told(t, "digest")
	require.Len(t, m.List, 21)
	require.Equal(t, "… and 11 titles more", m.List[20])
}

func TestADigestTellsInstancesApart(t *testing.T) {
	t.Parallel()
	event := func(source, instance string) sdk.Event {
		return sdk.Event{
			ID: source, Source: source, App: "radarr", Instance: instance, Type: sdk.TypeMediaImported, Title: "Dune (2024)",
			Media: &sdk.Media{Kind: "movie", ID: "1", Title: "Dune", Year: 2024},
		}
	}
	m := message.New(event("radarr", "Radarr"), event("radarr-4k", "Radarr 4K"))
	require.Equal(t, []string{"Dune (2024): imported (Radarr)", "Dune (2024): imported (Radarr 4K)"}, m.List)
	require.Equal(t, "Dune (2024)", m.In(message.LookCompact).Summary)
	require.Equal(t, "Radarr, Radarr 4K", m.Footer)
}

func TestADigestHasNoTroubleThatIsOver(t *testing.T) {
	t.Parallel()
	var events []sdk.Event
	for _, s := range eventtest.Stories() {
		if s.Name == "health" || s.Name == "movie" {
			for _, e := range s.Events {
				e.ID = s.Name + e.ID
				events = append(events, e)
			}
		}
	}
	m := message.New(events...)
	require.Equal(t, "Digest: 1 imported, 1 restored", m.Headline)
	require.Equal(t, message.SeverityGood, m.Severity)
	require.Contains(t, m.List, "Indexer status check: restored")
}

func TestADigestTellsOfTroubleThatIsBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	event := func(minute int, typ sdk.Type, title, says string) sdk.Event {
		return sdk.Event{
			ID: title + string(typ), Source: "radarr", Type: typ, Time: at.Add(time.Duration(minute) * time.Minute), Title: title, CorrelationKey: title,
			Health: &sdk.Health{Level: "error", Check: "IndexerStatusCheck", Message: says},
		}
	}
	m := message.New(
		event(0, sdk.TypeHealthRestored, "Indexers", "All indexers are down"), event(1, sdk.TypeHealthIssue, "Indexers", "All indexers are down"),
		event(2, sdk.TypeTargetHeld, "Target team is on hold", "cleaning"),
	)
	require.Equal(t, "Digest: 1 health issue, 1 target on hold", m.Headline)
	require.Equal(t, []string{"🚨 Indexers: All indexers are down", "⏸️ Target team is on hold: cleaning"}, m.List)
}

func TestSeveritiesHaveWords(t *testing.T) {
	t.Parallel()
	for typ, want := range map[sdk.Type]string{
		sdk.TypeMediaImported: "good", sdk.TypeMediaUpgraded: "good", sdk.TypeReleaseGrabbed: "info", sdk.TypeFileRenamed: "info",
		sdk.TypeHealthIssue: "warning", sdk.TypeManualInteractionRequired: "warning", sdk.TypeDownloadFailed: "bad",
	} {
		require.Equal(t, want, message.New(sdk.Event{Type: typ}).Severity.String())
	}
}

func TestEpisodesInRanges(t *testing.T) {
	t.Parallel()
	number := func(season int, numbers ...int) []sdk.Episode {
		var all []sdk.Episode
		for _, n := range numbers {
			all = append(all, sdk.Episode{Season: season, Number: new(n), Title: "T"})
		}
		return all
	}
	dated := func(days ...string) []sdk.Episode {
		var all []sdk.Episode
		for _, d := range days {
			all = append(all, sdk.Episode{Season: 2026, AirDate: d, Title: "T"})
		}
		return all
	}
	to := func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i + 1
		}
		return all
	}
	for name, c := range map[string]struct {
		episodes []sdk.Episode
		title    string
		list     []string
	}{
		"a season":        {number(2, to(48)...), "Series S02E01–E48", nil},
		"one is missing":  {number(1, append(to(10), 12)...), "Series S01E01–E10, E12", nil},
		"in disorder":     {number(1, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2, 1, 4), "Series S01E01–E12", nil},
		"several seasons": {append(number(2, to(9)...), number(1, to(9)...)...), "Series S01–S02", []string{"S01E01–E09", "S02E01–E09"}},
		"a few":           {number(1, 2, 1), "Series S01E01–E02", []string{"S01E01 T", "S01E02 T"}},
		"twice":           {number(1, 1, 2, 2, 1), "Series S01E01–E02", []string{"S01E01 T", "S01E02 T"}},
		"dates": {
			dated("2026-01-31", "2026-02-01", "2026-02-02", "2026-02-05"), "Series 2026-01-31 – 2026-02-02, 2026-02-05",
			[]string{"2026-01-31 T", "2026-02-01 T", "2026-02-02 T", "2026-02-05 T"},
		},
		"nobody named": {[]sdk.Episode{{Season: 1, Number: new(1), Title: "TBA"}}, "Series", []string{"S01E01"}},
		"no place":     {[]sdk.Episode{{Title: "A"}, {Title: "B"}}, "Series", []string{"A", "B"}},
	} {
		m := message.New(sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "series", Title: "Series"}, Episodes: c.episodes})
		require.Equal(t, c.title, m.Title, name)
		require.Equal(t, c.list, m.List, name)
	}
	var scattered []int
	for n := range 100 {
		scattered = append(scattered, n*2)
	}
	m := message.New(sdk.Event{Type: sdk.TypeMediaImported, Episodes: number(1, scattered...)})
	require.Len(t, m.List, 4)
	for _, l := range m.List {
		require.LessOrEqual(t, message.Len(l), 150, "services cut lines")
		require.True(t, strings.HasPrefix(l, "S01E"), l)
	}
}

func TestImportedEpisodesStayNamedWhenMoreIsGrabbed(t *testing.T) {
	t.Parallel()
	event := func(typ sdk.Type, n, second int) sdk.Event {
		return sdk.Event{
			ID: strconv.Itoa(second), Type: typ, Source: "sonarr", Time: time.Unix(int64(second), 0), Title: "Series",
			Media: &sdk.Media{Kind: "series", ID: "1", Title: "Series"}, Episodes: []sdk.Episode{{Season: 1, Number: new(n)}},
		}
	}
	m := message.New(event(sdk.TypeMediaImported, 1, 1), event(sdk.TypeMediaImported, 2, 2), event(sdk.TypeReleaseGrabbed, 3, 3))
	require.Equal(t, "Episode grabbed", m.Headline)
	require.Equal(t, "Imported before: S01E01–E02", m.Summary)
}

func TestReasonsAreWords(t *testing.T) {
	t.Parallel()
	for native, want := range map[string]string{
		"missingFromDisk":  "missing from disk",
		"MissingFromDisk":  "missing from disk",
		"manual":           "deleted by hand or by another program",
		"upgrade":          "replaced by an upgrade",
		"noLinkedEpisodes": "no longer linked to any episode",
		"manualOverride":   "replaced by a manual import",
		"somethingNew":     "something new",
		"":                 "",
	} {
		m := message.New(sdk.Event{Type: sdk.TypeFileDeleted, DeleteReason: native})
		require.Equal(t, want, values(m)["Reason"], native)
	}
}

func TestFooterNamesTheSourceWhereItSaysMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ instance, source, want string }{
		{"Radarr 4K", "radarr-4k", "Radarr 4K"},
		{"Lidarr Hi-Fi", "lidarr", "Lidarr Hi-Fi"},
		{"Sonarr", "sonarr-anime", "Sonarr · sonarr-anime"},
		{"", "cloud", "radarr · cloud"},
		{"", "radarr", "radarr"},
		{"Radarr", "", "Radarr"},
	} {
		require.Equal(t, c.want, message.New(sdk.Event{App: "radarr", Instance: c.instance, Source: c.source}).Footer)
	}
}

func TestRequestsKeepTheirWords(t *testing.T) {
	t.Parallel()
	m := message.New(sdk.Event{
		App: "jellyseerr", Type: sdk.TypeUnknown, NativeType: "MEDIA_DECLINED", Title: "Dune (2024)", Summary: "Movie Request Declined",
		Media: &sdk.Media{Kind: "request", Title: "Dune (2024)"},
	})
	require.Equal(t, "Request declined", m.Headline)
	require.Equal(t, "Movie Request Declined", m.Summary)
	pending := sdk.Event{App: "jellyseerr", Type: sdk.TypeManualInteractionRequired, Title: "Dune (2024)", Media: &sdk.Media{Kind: "request", Title: "Dune (2024)"}}
	declined := pending
	declined.Type, declined.NativeType, declined.Time = sdk.TypeUnknown, "MEDIA_DECLINED", time.Unix(1, 0)
	pending.Time = time.Unix(0, 0)
	require.Equal(t, "Request declined", message.New(declined, pending).Headline)
	m = message.New(sdk.Event{App: "jellyseerr", Type: sdk.TypeUnknown, NativeType: "ISSUE_CREATED", Title: "Dune", Summary: "Audio is off"})
	require.Equal(t, "Issue created", m.Headline)
	require.Equal(t, "Audio is off", m.Summary)
}

func TestWhatIsWrongKeepsItsEnd(t *testing.T) {
	t.Parallel()
	m := told(t, "health_long")
	for _, look := range message.Looks() {
		require.Contains(t, m.In(look).Plain(4096), "Connection refused (localhost:8080)", look)
	}
	require.LessOrEqual(t, message.Len(m.Text), 700)
}

func TestUnknownQualityIsLeftOut(t *testing.T) {
	t.Parallel()
	require.NotContains(t, values(told(t, "anime")), "Quality")
}
