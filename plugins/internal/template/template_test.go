package template_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

func event(t *testing.T, name string) sdk.Event {
	t.Helper()
	for _, c := range eventtest.Events() {
		if c.Name == name {
			return c.Event
		}
	}
	require.Fail(t, "no such event", name)
	return sdk.Event{}
}

func render(t *testing.T, source string, events ...sdk.Event) string {
	t.Helper()
	parsed, err := template.Parse("x", source)
	require.NoError(t, err, source)
	out, err := parsed.Execute(events)
	require.NoError(t, err, source)
	return out
}

func TestTemplatesSayWhatEventsHave(t *testing.T) {
	t.Parallel()
	upgraded := event(t, "media_upgraded")
	for source, want := range map[string]string{
		`{{.event.media.title}} ({{.event.media.year}})`:       "Dune: Part Two (2024)",
		`{{.event.type}} {{.count}} {{(index .events 0).app}}`: "media.upgraded 1 radarr",
		`{{.event.time}}`:         "2026-11-23T10:00:00Z",
		`{{.event.media.genres}}`: "Science Fiction, Adventure",
		`{{.event.media.ids.tmdb}} {{index .event.media.ids "imdb"}}`:                                     "693134 tt15239678",
		`{{range .event.files}}{{.quality}} {{size .size_bytes}}{{end}}`:                                  "Bluray-2160p " + sizeOf(t, upgraded),
		`{{range $i, $f := .event.files}}{{add $i 1}}. {{$f.quality}} of {{$.event.app}}{{end}}`:          "1. Bluray-2160p of radarr",
		`{{with .event.media}}{{.title}}{{end}}`:                                                          "Dune: Part Two",
		`{{with $m := .event.media}}{{$m.title | upper | printf "%.4s"}}{{end}}`:                          "DUNE",
		`{{if gt .event.media.year 2000}}new{{else}}old{{end}}`:                                           "new",
		`{{if eq .event.type "media.upgraded" "media.imported"}}yes{{end}}`:                               "yes",
		`{{if and .event.upgrade (not .event.health)}}yes{{end}}`:                                         "yes",
		`{{define "file"}}<{{.quality}}>{{end}}{{range .event.files}}{{template "file" .}}{{end}}`:        "<Bluray-2160p>",
		`{{.event.deleted_files | pluck "quality" | join "+"}}`:                                           "WEBDL-1080p",
		`{{change (index .event.deleted_files 0).quality (index .event.files 0).quality}}`:                "WEBDL-1080p → Bluray-2160p",
		`{{json .event.media.title}} {{json .event.media.tags}} {{json .event.media.year}}`:               `"Dune: Part Two" ["4k","family"] 2024`,
		`{{.message.headline}} {{headline .event}} {{emoji .event}} {{color .event}} {{.message.color}}`:  "Movie upgraded Movie upgraded ✨ #8E5BD0 #8E5BD0",
		`{{date "2 Jan 2006 15:04" .event.time}}, {{.event.time | date "15:04" "Europe/Berlin"}}`:         "23 Nov 2026 10:00, 11:00",
		`{{date "2006" "2024-02-27"}}`:                                                                    "2024",
		`{{default "none" .event.health.message}} {{default "none" .event.app}}`:                          "none radarr",
		`{{truncate 6 .event.media.title}} {{replace ":" " –" .event.media.title}}`:                       "Dune:… Dune – Part Two",
		`{{len .event.media.genres}} {{len .event.media.title}} {{len .event.health}}`:                    "2 14 0",
		`{{contains "Part" .event.media.title}} {{hasPrefix "x" .event.app}} {{hasSuffix "rr" "radarr"}}`: "true false true",
		`{{title "the evening desk's end"}}|{{trim "  a "}}|{{lower "A"}}`:                                "The Evening Desk's End|a|a",
		`{{urlescape "a b&c"}} {{html "<b>"}} {{markdown "*a*"}}`:                                         `a+b%26c &lt;b&gt; \*a\*`,
		`{{duration 3900}} {{duration 59}} {{duration 0}} {{duration 93600}} {{duration 86460}}`:          "1h 5m 59s 0s 1d 2h 1d",
		`{{elapsed "2026-11-23T10:00:00Z" .event.time | add 61 | duration}}`:                              "1m 1s",
		`{{first .event.media.genres}} {{last .event.media.genres}} {{limit 1 .event.media.genres}}`:      "Science Fiction Adventure Science Fiction",
		`{{print "a" 1 "b"}} {{printf "%02d|%5s|%q" 3 "x" "y"}} {{println "a" "b"}}`:                      `a1b 03|    x|"y" a b` + "\n",
		`{{sub 5 2}} {{.event.files | pluck "size_bytes" | sum | size}}`:                                  "3 " + sizeOf(t, upgraded),
		`{{- /* nothing */ -}} x {{- " y" }}`:                                                             "x y",
		`{{$x := 1}}{{range 3}}{{$x = add $x $x}}{{end}}{{$x}}`:                                           "8",
		``: "",
	} {
		require.Equal(t, want, render(t, source, upgraded), source)
	}
}

func sizeOf(t *testing.T, e sdk.Event) string {
	t.Helper()
	return render(t, `{{size (index .event.files 0).size_bytes}}`, e)
}

func TestWhatIsAbsentIsEmpty(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{{.event.media.title}}{{.event.media.year}}{{.event.media.ids.tmdb}}{{.event.time}}`:         "",
		`{{range .event.files}}x{{else}}none{{end}}`:                                                  "none",
		`{{range (first .event.files).languages}}x{{else}}none{{end}}`:                                "none",
		`{{with .event.media}}x{{else}}none{{end}}`:                                                   "none",
		`{{if gt .event.media.year 2000}}x{{else}}old{{end}}`:                                         "old",
		`{{range .event.files}}{{if gt .media_info.audio_channels 2.0}}x{{end}}{{end}}`:               "",
		`{{if eq .event.media.kind "movie"}}x{{end}}{{.event.media.genres}}`:                          "",
		`{{(index .event.files 0).quality}}{{index .event.files 9}}{{index .event.media.ids "imdb"}}`: "",
		`{{(first .event.files).media_info.audio_channels}}{{size .event.release.size_bytes}}`:        "",
		`{{date "15:04" .event.time}}{{change "" .event.app}}{{episodes .event}}{{elapsed "" ""}}`:    "",
		`{{.event.files | pluck "quality" | distinct | join ", " | upper | truncate 5}}`:              "",
		`{{define "x"}}[{{.}}]{{end}}{{template "x"}}{{template "x" .event.media}}`:                   "[][]",
		`{{json .event.media}}{{printf "%v" .event.release.score}}`:                                   "{}",
		`{{.event.upgrade}}`: "false",
	} {
		require.Equal(t, want, render(t, source, sdk.Event{}), source)
		require.NotContains(t, render(t, source), "no value", source)
	}
}

func TestARenameIsNotWhatAGroupIsAbout(t *testing.T) {
	t.Parallel()
	imported := event(t, "media_imported")
	renamed := event(t, "file_renamed")
	renamed.Time, renamed.ID = imported.Time.Add(1), "2"
	require.Equal(t, "media.imported Movie imported", render(t, `{{.event.type}} {{.message.headline}}`, imported, renamed))
	require.Equal(t, "file.renamed", render(t, `{{.event.type}}`, renamed))
}

func TestAGroupIsToldByItsLastEvent(t *testing.T) {
	t.Parallel()
	grabbed, imported := event(t, "release_grabbed"), event(t, "media_imported")
	source := `{{.count}} {{.event.type}}: {{range $i, $e := .events}}{{if $i}}, {{end}}{{emoji $e}} {{.type}}{{end}} {{headline .events}}`
	out := render(t, source, grabbed, imported)
	require.True(t, strings.HasPrefix(out, "2 media.imported: 📥 release.grabbed, ✅ media.imported "), out)
}

func TestEpisodesAreNamedByRanges(t *testing.T) {
	t.Parallel()
	number := func(season int, numbers ...int) []sdk.Episode {
		var all []sdk.Episode
		for _, n := range numbers {
			all = append(all, sdk.Episode{Season: season, Number: &n})
		}
		return all
	}
	for want, episodes := range map[string][]sdk.Episode{
		"S02E01":                      number(2, 1),
		"S02E01–E02":                  number(2, 2, 1, 2),
		"S01E03, S02E01–E03, S02E100": append(number(2, 3, 1, 2, 100), number(1, 3)...),
		"S00E00":                      number(0, 0),
		"2026-04-23, 2026-04-24": {
			{Season: 2026, Code: "2026-04-24"}, {Season: 2026, Code: "2026-04-23", Number: new(113)},
		},
		"The Pilot": {{Title: "The Pilot"}},
		"":          {{}},
	} {
		e := sdk.Event{Type: sdk.TypeMediaImported, Episodes: episodes}
		require.Equal(t, want, render(t, `{{episodes .event}}`, e))
		require.Equal(t, want, render(t, `{{.event.episodes | episodes}}`, e))
		require.Equal(t, want, render(t, `{{episodes .events}}`, e, e))
	}
}

func TestProblemsSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{{define "f"}}{{.x}}{{end}}{{range .event.files}}{{template "f" .}}{{end}}`: `line 1, column 18: there is no field "x" here`,

		`ab {{uper .count}}`:                              `title: line 1, column 6: there is no function "uper"`,
		"é\nü {{ .event.media.titel }}":                   `title: line 2, column 19: there is no field "titel" here; there are kind, id, title,`,
		`{{.media.title}}`:                                `line 1, column 4: there is no field "media" here; write .event.media`,
		`{{range .event.files}}{{.event.app}}{{end}}`:     `line 1, column 26: there is no field "event" here; write $.event`,
		`{{.event.files.quality}}`:                        `quality is asked of a list; take one of it with {{range}}, first or index`,
		`{{.event.title.x}}`:                              `there is no field "x" in a text or number`,
		`{{with .event.media}}{{.year}}{{.yeer}}{{end}}`:  `line 1, column 34: there is no field "yeer"`,
		`{{range $i, $f := .event.files}}{{$f.x}}{{end}}`: `there is no field "x" here; there are id, path,`,
		`{{$m := .event.media}}{{$m.x}}`:                  `there is no field "x" here`,
		`{{(index .event.files 0).x}}`:                    `there is no field "x" here`,
		`{{(first .event.episodes).x}}`:                   `there is no field "x" here`,
		`{{.event.files | pluck "qualty"}}`:               `there is no field "qualty" here`,
		`{{define "f"}}{{upper}}{{end}}`:                  `upper needs 1 arguments and has 0`,
		`{{template "nowhere" .}}`:                        `there is no template "nowhere"`,
		`{{upper .event.app .event.app}}`:                 `upper takes 1 arguments and has 2`,
		`{{.event.app | gt}}`:                             `gt needs 2 arguments and has 1`,
		`{{.event.app 1}}`:                                `.event.app is no function and takes no arguments`,
		"{{if .count}}\nx":                                `line 2, column 2: it ends before the {{end}}`,
		`a{{end}}`:                                        `line 1, column 2: unexpected {{end}}`,
		"a\nb {{.count":                                   `line 2, column 3: this {{ is not closed by }}`,
		"a\nb {{.count\n | upper\n":                       `line 2, column 3: this {{ is not closed by }}`,
		`{{$x}}`:                                          `line 1, column 3: there is no variable $x`,
		`{{"a}}`:                                          `unterminated quoted string`,
		`{{call .event}}`:                                 `there is no function "call"`,
		`{{slice .event.files 1}}`:                        `there is no function "slice"`,
		`{{js "a"}}{{step_ 1}}`:                           `there is no function "js"`,
		`{{step_ 1}}`:                                     `there is no function "step_"`,
		`{{date "15:04" "Europe/Berlino" .event.time}}`:   `there is no time zone "Europe/Berlino"`,
		`{{printf "%9999999d" 1}}`:                        `line 1, column 10: printf takes no * and no width above 999`,
		`{{printf "%*d" 9999999 1}}`:                      `printf takes no *`,
		`{{printf "%.5000f" 1.0}}`:                        `printf takes no *`,
		`{{printf "100%" }}`:                              `has no verb`,
		strings.Repeat("a", 16<<10+1):                     `the template has 16385 bytes; at most 16384 are taken`,
	} {
		_, err := template.Parse("title", source)
		require.ErrorContains(t, err, want, source)
		require.True(t, strings.HasPrefix(err.Error(), "title: "), err)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestFailuresSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"é\nü {{gt .event.app 1}}":                                "line 2, column 5: incompatible types for comparison",
		`{{range .event.app}}x{{end}}`:                            "range can't iterate over radarr",
		`{{index .event.files -1}}`:                               "line 1, column 3: index -1: the first is 0",
		`{{index .event.app 1}}`:                                  "index needs a list or an object",
		`{{join ", " .event.app}}`:                                "this needs a list, such as .event.files",
		`{{$x := 1}}{{$x = .event.media.genres}}{{pluck "a" $x}}`: "pluck needs a list of what has fields",
		`{{date "15:04" .event.app}}`:                             `"radarr" is no time such as`,
		`{{date "15:04" .event.app .event.time}}`:                 `there is no time zone "radarr"`,
		`{{date "15:04"}}`:                                        "date needs a layout",
		`{{truncate "x" .event.app}}`:                             `"x" is no whole number`,
		`{{headline .event.media}}`:                               "this needs an event",
	} {
		parsed, err := template.Parse("title", source)
		require.NoError(t, err, source)
		out, err := parsed.Execute([]sdk.Event{event(t, "media_imported")})
		require.ErrorContains(t, err, want, source)
		require.NotContains(t, err.Error(), "executing")
		require.Empty(t, out)
	}
}

func TestNoTemplateTakesMuch(t *testing.T) {
	t.Parallel()
	data := template.NewData(big())
	const steps, length, text = "more than 100000 steps", "longer than 64 KiB", "a text is longer"
	for source, want := range map[string]string{
		`{{range 1000000000}}{{end}}`:                                     steps,
		`{{range 1000000000}}{{continue}}{{end}}`:                         steps,
		`{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}`: steps,
		`{{range 1000000000}}xxxxxxxxxxxxxxxxxxxxxxxx{{end}}`:             length,
		`{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}`:       "more than 20 deep",
		`{{define "a"}}{{range 2}}{{template "b"}}{{end}}{{end}}{{define "b"}}{{range 2}}{{template "a"}}{{end}}{{end}}{{template "a"}}`: "more than 20 deep",
		`{{define "a"}}{{end}}{{range 1000000}}{{template "a"}}{{end}}`:                                                                  steps,
		`{{$s := "0123456789"}}{{range 100}}{{$s = print $s $s}}{{end}}`:                                                                 text,
		`{{$s := "0123456789"}}{{range 100}}{{$s = printf "%s%s" $s $s}}{{end}}`:                                                         text,
		`{{$s := "aaaaaaaaaa"}}{{range 100}}{{$s = replace "a" $s $s}}{{end}}`:                                                           text,
		`{{$s := "aaaaaaaaaa"}}{{range 100}}{{$s = change $s (print $s "b")}}{{end}}`:                                                    text,
		`{{$s := "\"\"\"\"\""}}{{range 100}}{{$s = json $s}}{{end}}`:                                                                     text,
		`{{range 100}}{{printf "%999d" 1}}{{end}}`:                                                                                       length,
		`{{printf "` + strings.Repeat("%[1]q", 3000) + `" .event.media.overview}}`:                                                       text,
		`{{range 100000}}{{if eq $.event.media.overview $.event.summary}}{{end}}{{end}}`:                                                 steps,
		`{{range 100000}}{{$x := upper $.event.media.overview}}{{end}}`:                                                                  steps,
		`{{range 100000}}{{$x := json $.event}}{{end}}`:                                                                                  text,
		`{{range 100000}}{{$x := pluck "path" $.event.files}}{{end}}`:                                                                    steps,
		`{{range 100000}}{{$x := headline $.events}}{{end}}`:                                                                             steps,
		`{{range 100000}}{{$x := date "15" "Europe/Berlin" $.event.time}}{{end}}`:                                                        steps,
		`{{range 5000}}{{$x := index $.event $}}{{end}}`:                                                                                 text,
		`{{$x := printf "%999s" ""}}{{range 6}}{{$x = print $x $x}}{{end}}{{range 10000}}{{$y := add $x 1}}{{end}}`:                      "whole number",
		`{{range 1000}}` + strings.Repeat("{{if 1}}{{end}}", 900) + `{{end}}`:                                                            steps,
	} {
		parsed, err := template.Parse("x", source)
		require.NoError(t, err, source)
		_, err = parsed.Render(data, nil)
		require.ErrorContains(t, err, want, source)
	}
	for name, source := range map[string]string{
		"parentheses": "{{" + strings.Repeat("(", 8000) + "1" + strings.Repeat(")", 8000) + "}}",
		"blocks":      strings.Repeat("{{if 1}}", 1000) + strings.Repeat("{{end}}", 1000),
		"pipes":       "{{1" + strings.Repeat("|html", 3000) + "}}",
	} {
		parsed, err := template.Parse("x", source)
		require.NoError(t, err, name)
		_, err = parsed.Render(data, nil)
		require.NoError(t, err, name)
	}
}

// big has as much of everything as a webhook may.
func big() sdk.Event {
	e := sdk.Event{
		Type: sdk.TypeImportCompleted, Time: time.Unix(1, 0), Summary: strings.Repeat("b", 4<<20),
		Media: &sdk.Media{Overview: strings.Repeat("b", 4<<20)},
	}
	for range 1000 {
		e.Files = append(e.Files, sdk.File{Path: strings.Repeat("p", 200), Quality: "HD"})
	}
	return e
}

func TestWhatIsTooLongIsNotWritten(t *testing.T) { //nolint:paralleltest // Allocations are counted.
	e := big()
	for range 20_000 {
		e.Files = append(e.Files, e.Files[0])
	}
	data := template.NewData(e)
	for _, source := range []string{`{{.}}`, `{{.events}}`, `{{json .event}}`, `{{index .event .event}}`, `{{elapsed .event .event}}`, `{{replace .events "" ""}}`} {
		parsed, err := template.Parse("x", source)
		require.NoError(t, err)
		taken := testing.AllocsPerRun(1, func() { _, err = parsed.Render(data, nil) })
		require.ErrorContains(t, err, "a text is longer than 64 KiB", source)
		require.Less(t, taken, 10_000.0, source)
	}
}

func TestWhatNobodyCanReadIsLeftOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ab\tc\nd\u200f", render(t, `{{.event.title}}`, sdk.Event{Title: "a\x00\u202eb\tc\r\n\u2066\x1bd\u200f"}))
}

func TestALongTextIsCut(t *testing.T) {
	t.Parallel()
	require.Equal(t, strings.Repeat("b", 9)+"…", render(t, `{{truncate 10 .event.summary}}`, big()))
}

func TestWhatActionsPrintIsEscaped(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("x", `*{{.event.title}}* {{raw "*"}} {{markdown "*"}} {{json "*"}} {{.event.title | upper}}{{$x := .event.title}}{{$x}}`)
	require.NoError(t, err)
	out, err := parsed.Render(template.NewData(sdk.Event{Title: "*a"}), func(s string) string { return strings.ReplaceAll(s, "*", `+`) })
	require.NoError(t, err)
	require.Equal(t, `*+a* * \* "*" +A+a`, out)

	long := func(s string) string { return strings.Repeat(s, 70_000) }
	_, err = parsed.Render(template.NewData(sdk.Event{Title: "a"}), long)
	require.ErrorContains(t, err, "longer than 64 KiB")
	_, err = parsed.Render(template.NewData(sdk.Event{Title: "a"}), func(s string) string { return s[len(s)+1:] })
	require.Error(t, err)
}

func TestTheZeroTemplateIsEmpty(t *testing.T) {
	t.Parallel()
	for _, empty := range []*template.Template{nil, {}} {
		out, err := empty.Execute([]sdk.Event{{Title: "a"}})
		require.NoError(t, err)
		require.Empty(t, out)
	}
}

func TestATemplateIsReadFromAConfiguration(t *testing.T) {
	t.Parallel()
	var c struct{ Title template.Template }
	require.ErrorContains(t, json.Unmarshal([]byte(`{"Title":"{{x}}"}`), &c), `line 1, column 3: there is no function "x"`)
	require.NoError(t, json.Unmarshal([]byte(`{"Title":"{{.count}}"}`), &c))
	out, err := c.Title.Execute(make([]sdk.Event, 3))
	require.NoError(t, err)
	require.Equal(t, "3", out)
	written, err := json.Marshal(&c)
	require.NoError(t, err)
	require.JSONEq(t, `{"Title":"{{.count}}"}`, string(written))
}

func TestTemplatesAreSharedByGoroutines(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("x", `{{range .events}}{{.title}}{{template "y" .}}{{end}}{{define "y"}}!{{end}}`)
	require.NoError(t, err)
	data := template.NewData(sdk.Event{Title: "a"}, sdk.Event{Title: "b"})
	done := make(chan string)
	for range 8 {
		go func() {
			out, _ := parsed.Render(data, nil)
			done <- out
		}()
	}
	for range 8 {
		require.Equal(t, "a!b!", <-done)
	}
}

// A template either is refused with a place, or fails with one, or renders within bounds.
func FuzzTemplate(f *testing.F) {
	for _, c := range eventtest.Events() {
		raw, err := json.Marshal(c.Event)
		require.NoError(f, err)
		f.Add(`{{range .events}}{{.title | upper}}{{end}}{{with .event.media}}{{.ids.tmdb}}{{end}}`, raw)
		f.Add(`{{define "a"}}{{.}}{{end}}{{range $i, $f := .event.files}}{{template "a" $f.size_bytes}}{{break}}{{end}}`, raw)
		f.Add(`{{$x := episodes .events}}{{printf "%s %d" $x 1 | json}}{{date "15:04" .event.time}}{{slice "a" 1}}`, raw)
	}
	f.Fuzz(func(t *testing.T, source string, raw []byte) {
		var e sdk.Event
		if json.Unmarshal(raw, &e) != nil {
			return
		}
		parsed, err := template.Parse("x", source)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "x: "), err)
			return
		}
		out, err := parsed.Execute([]sdk.Event{e, e})
		require.LessOrEqual(t, len(out), 64<<10)
		if err != nil {
			require.Empty(t, out)
		}
	})
}

func TestAnyEventIsPrinted(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("x", `{{range .events}}{{truncate 500 .title}}{{range .files}}{{truncate 50 .path}}{{size .size_bytes}}{{truncate 9 .languages}}{{end}}{{episodes .}}{{truncate 99 .media.genres}}{{emoji .}}{{.time}}{{.media.ids.tmdb | truncate 20}}{{end}}`)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(eventtest.Any(), 0, 2).Draw(t, "events")
		_, err := parsed.Execute(events)
		if err != nil { // a text that is cut only when it is too long
			require.ErrorContains(t, err, "64 KiB")
		}
	})
}
