package eventtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/sdk"
)

// text generates strings of every length around the limits of services, made of
// what markup and encodings stumble over.
func text() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"*", "_", "`", "|", "~", "\\", "<", ">", "&", "[x](y)", "<@1>", "@everyone", "\n", "\n# ", " ", "👩‍👩‍👧‍👦", "\u202E", "\u200b", "é", "﷽", "a"}),
	)
	return rapid.Custom(func(t *rapid.T) string {
		s := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
		return strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 1, 2, 50, 300, 1500}).Draw(t, "times"))
	})
}

func texts() *rapid.Generator[[]string] { return rapid.SliceOfN(text(), 0, 12) }

func link() *rapid.Generator[string] {
	return rapid.OneOf(text(), rapid.Map(text(), func(s string) string { return "https://example.org/" + s }),
		rapid.SampledFrom([]string{"http://radarr:7878/x", "http://[::1]:1/x", "http://u:p@example.org/", "https://", "//x", "javascript:alert(1)"}))
}

func file() *rapid.Generator[sdk.File] {
	return rapid.Custom(func(t *rapid.T) sdk.File {
		return sdk.File{
			Path: text().Draw(t, "path"), RelativePath: text().Draw(t, "relative"), SizeBytes: rapid.Int64().Draw(t, "size"),
			Quality: text().Draw(t, "quality"), Languages: texts().Draw(t, "languages"), SceneName: text().Draw(t, "scene"),
			MediaInfo: &sdk.MediaInfo{VideoCodec: text().Draw(t, "codec"), Width: rapid.Int().Draw(t, "w"), Height: 1, AudioChannels: rapid.Float64().Draw(t, "channels"), Subtitles: texts().Draw(t, "subtitles")},
		}
	})
}

// Any generates events of every type with anything in them.
func Any() *rapid.Generator[sdk.Event] {
	types := append(sdk.Types(), "", "some.future_type")
	return rapid.Custom(func(t *rapid.T) sdk.Event {
		e := sdk.Event{
			ID: text().Draw(t, "id"), Source: text().Draw(t, "source"), App: text().Draw(t, "app"), AppVersion: text().Draw(t, "version"),
			Instance: text().Draw(t, "instance"), Type: rapid.SampledFrom(types).Draw(t, "type"), NativeType: text().Draw(t, "native"),
			Title: text().Draw(t, "title"), Summary: text().Draw(t, "summary"), URL: link().Draw(t, "url"),
			Time:         time.Unix(rapid.Int64Range(-1<<36, 1<<37).Draw(t, "time"), 0),
			DeleteReason: text().Draw(t, "reason"), AddMethod: text().Draw(t, "method"), Upgrade: rapid.Bool().Draw(t, "upgrade"),
			Files:        rapid.SliceOfN(file(), 0, 3).Draw(t, "files"),
			DeletedFiles: rapid.SliceOfN(file(), 0, 3).Draw(t, "deleted"),
		}
		if rapid.Bool().Draw(t, "has media") {
			e.Media = &sdk.Media{
				Kind: text().Draw(t, "kind"), Title: text().Draw(t, "media title"), Overview: text().Draw(t, "overview"), Path: text().Draw(t, "media path"),
				Genres: texts().Draw(t, "genres"), Tags: texts().Draw(t, "tags"), Poster: link().Draw(t, "poster"),
				IDs: map[string]string{"tmdb": text().Draw(t, "tmdb"), "imdb": "tt1"},
			}
		}
		if rapid.Bool().Draw(t, "has release") {
			e.Release = &sdk.Release{
				Title: text().Draw(t, "release"), Group: text().Draw(t, "group"), Indexer: text().Draw(t, "indexer"), Quality: text().Draw(t, "release quality"),
				CustomFormats: texts().Draw(t, "formats"), Score: rapid.Int().Draw(t, "score"), Flags: texts().Draw(t, "flags"),
			}
			e.Download = &sdk.Download{Client: text().Draw(t, "client"), Title: text().Draw(t, "download"), Messages: texts().Draw(t, "messages")}
		}
		if rapid.Bool().Draw(t, "has health") {
			e.Health = &sdk.Health{Level: text().Draw(t, "level"), Check: text().Draw(t, "check"), Message: text().Draw(t, "message"), WikiURL: link().Draw(t, "wiki")}
			e.Update = &sdk.Update{From: text().Draw(t, "from"), To: text().Draw(t, "to"), Message: text().Draw(t, "update")}
		}
		if rapid.Bool().Draw(t, "has lists") {
			e.Episodes = []sdk.Episode{{Season: rapid.Int().Draw(t, "season"), Number: rapid.Ptr(rapid.Int(), true).Draw(t, "number"), Code: text().Draw(t, "code"), Title: text().Draw(t, "episode"), Overview: text().Draw(t, "episode plot")}}
			e.RenamedFiles = []sdk.Rename{{From: text().Draw(t, "rename from"), To: text().Draw(t, "rename to")}}
		}
		return e
	})
}

// AnyStory generates events that have much in common: of few titles, downloads and
// episodes, at few times, of any type and in any order. Each has an id of its own.
func AnyStory() *rapid.Generator[[]sdk.Event] {
	digit := rapid.IntRange(0, 3)
	name := func(prefix string) *rapid.Generator[string] {
		return rapid.Map(digit, func(n int) string { return prefix + strconv.Itoa(n) })
	}
	episode := rapid.Custom(func(t *rapid.T) sdk.Episode {
		ep := sdk.Episode{Season: digit.Draw(t, "season"), Title: name("Episode ").Draw(t, "episode title")}
		switch digit.Draw(t, "named by") {
		case 0:
			ep.AirDate = fmt.Sprintf("2026-0%d-1%d", 1+digit.Draw(t, "month"), digit.Draw(t, "day"))
			ep.Code = ep.AirDate
		case 1:
		default:
			ep.Number = new(rapid.IntRange(0, 60).Draw(t, "number"))
		}
		return ep
	})
	files := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sdk.File {
		return sdk.File{ID: name("").Draw(t, "file"), RelativePath: name("file").Draw(t, "path"), Quality: name("Quality-").Draw(t, "quality"), SizeBytes: 1 << 30}
	}), 0, 3)
	event := rapid.Custom(func(t *rapid.T) sdk.Event {
		e := sdk.Event{
			Source: name("source").Draw(t, "source"), App: "sonarr", Type: rapid.SampledFrom(sdk.Types()).Draw(t, "type"),
			Time:  time.Unix(int64(digit.Draw(t, "time")), 0),
			Title: name("Title ").Draw(t, "title"), CorrelationKey: rapid.SampledFrom([]string{"", "download:1", "health:x"}).Draw(t, "key"),
			Episodes: rapid.SliceOfN(episode, 0, 15).Draw(t, "episodes"),
			Files:    files.Draw(t, "files"), DeletedFiles: files.Draw(t, "deleted files"),
		}
		e.Summary = rapid.SampledFrom([]string{"", "Imported " + e.Title, "Something happened"}).Draw(t, "summary")
		if rapid.Bool().Draw(t, "has media") {
			e.Media = &sdk.Media{Kind: rapid.SampledFrom([]string{"series", "movie", "request"}).Draw(t, "kind"), ID: name("").Draw(t, "media"), Title: name("Media ").Draw(t, "media title"), Overview: "A plot."}
		}
		if rapid.Bool().Draw(t, "has release") {
			e.Release = &sdk.Release{Title: name("Release.").Draw(t, "release"), Indexer: name("Indexer ").Draw(t, "indexer"), Score: digit.Draw(t, "score")}
			e.Download = &sdk.Download{Client: "qBittorrent", Messages: rapid.SliceOfN(name("Message "), 0, 2).Draw(t, "messages")}
		}
		if e.Type == sdk.TypeHealthIssue || e.Type == sdk.TypeHealthRestored {
			e.Health = &sdk.Health{Level: "error", Check: e.Title, Message: name("Message ").Draw(t, "message")}
		}
		return e
	})
	return rapid.Map(rapid.SliceOfN(event, 0, 8), func(events []sdk.Event) []sdk.Event {
		for i := range events {
			events[i].ID = strconv.Itoa(i)
		}
		return events
	})
}
