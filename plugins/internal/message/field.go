package message

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/sdk"
)

// builder collects the fields that have a value.
type builder []Field

func (b *builder) add(f Field) {
	f.Value = line(f.Value)
	if f.Value != "" {
		*b = append(*b, f)
	}
}

func (b *builder) text(name, value string) { b.add(Field{Name: name, Value: value}) }
func (b *builder) code(name, value string) { b.add(Field{Name: name, Value: value, Code: true}) }

func fields(e sdk.Event) []Field {
	var b builder
	if h := e.Health; h != nil {
		b.text("Check", h.Check)
	}
	if u := e.Update; u != nil {
		b.text("Version", change(u.From, u.To))
	}
	b.text("Quality", change(qualities(before(e)), cmp.Or(qualities(e.Files), releaseOf(e).Quality)))
	b.text("Size", change(size(total(before(e))), size(newSize(e))))
	b.text("Files", count(len(e.Files)))
	b.text("Release group", cmp.Or(releaseOf(e).Group, common(e.Files, func(f sdk.File) string { return f.ReleaseGroup })))
	b.text("Languages", names(languages(e)))
	if len(e.Files) == 1 {
		b.text("Video", video(e.Files[0].MediaInfo))
		b.text("Audio", audio(e.Files[0].MediaInfo))
		b.text("Subtitles", subtitles(e.Files[0].MediaInfo))
	}
	if r := e.Release; r != nil {
		b.text("Custom formats", names(r.CustomFormats))
		if len(r.CustomFormats) > 0 || r.Score != 0 {
			b.text("Score", fmt.Sprintf("%+d", r.Score))
		}
		b.text("Indexer", r.Indexer)
		b.text("Flags", names(r.Flags))
	}
	if d := e.Download; d != nil {
		b.text("Download client", firstLine(d.Client, d.ClientType))
	}
	b.text("Reason", e.DeleteReason)
	if e.FilesDeleted {
		b.text("Files", "deleted as well")
	}
	b.text("Added by", e.AddMethod)
	if m := e.Media; m != nil && e.Type == sdk.TypeMediaAdded {
		b.text("Genres", names(m.Genres))
		b.text("Tags", names(m.Tags))
	}
	b.code("Release", firstLine(releaseOf(e).Title, downloadOf(e).Title, common(e.Files, func(f sdk.File) string { return f.SceneName })))
	b.code("Path", location(e))
	return b
}

// before is what the event's files took the place of.
func before(e sdk.Event) []sdk.File {
	if e.Type == sdk.TypeMediaUpgraded || e.Upgrade || len(e.Files) == 0 {
		return e.DeletedFiles
	}
	return nil
}

func releaseOf(e sdk.Event) sdk.Release {
	if e.Release == nil {
		return sdk.Release{}
	}
	return *e.Release
}

func downloadOf(e sdk.Event) sdk.Download {
	if e.Download == nil {
		return sdk.Download{}
	}
	return *e.Download
}

func newSize(e sdk.Event) int64 {
	return cmp.Or(total(e.Files), releaseOf(e).SizeBytes, downloadOf(e).SizeBytes)
}

// change is "before → after", or the one that is known.
func change(from, to string) string {
	switch {
	case from == "" || from == to:
		return to
	case to == "":
		return from
	default:
		return from + " → " + to
	}
}

func qualities(files []sdk.File) string {
	all := make([]string, 0, len(files))
	for _, f := range files {
		all = append(all, f.Quality)
	}
	return names(all)
}

func languages(e sdk.Event) []string {
	var all []string
	for _, f := range e.Files {
		all = append(all, f.Languages...)
	}
	if len(all) == 0 {
		return releaseOf(e).Languages
	}
	return all
}

// common is the value that all files share, or empty.
func common(files []sdk.File, of func(sdk.File) string) string {
	if len(files) == 0 {
		return ""
	}
	first := of(files[0])
	for _, f := range files[1:] {
		if of(f) != first {
			return ""
		}
	}
	return first
}

// names joins distinct values and counts those that are too many to read.
func names(all []string) string {
	var seen []string
	for _, s := range all {
		if s = line(s); s != "" && !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
	}
	if extra := len(seen) - namesMax; extra > 0 {
		seen = append(seen[:namesMax], "+"+strconv.Itoa(extra)+" more")
	}
	return strings.Join(seen, ", ")
}

func total(files []sdk.File) int64 {
	var n int64
	for _, f := range files {
		n += f.SizeBytes
	}
	return n
}

func size(bytes int64) string {
	if bytes <= 0 {
		return ""
	}
	return humanize.IBytes(uint64(bytes))
}

func count(n int) string {
	if n < 2 {
		return ""
	}
	return strconv.Itoa(n)
}

func video(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	resolution := ""
	if i.Width > 0 && i.Height > 0 {
		resolution = fmt.Sprintf("%d×%d", i.Width, i.Height)
	}
	return strings.Join([]string{i.VideoCodec, resolution, i.DynamicRange}, " ")
}

func audio(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	parts := []string{i.AudioCodec}
	if i.AudioChannels > 0 {
		parts = append(parts, strconv.FormatFloat(i.AudioChannels, 'g', 3, 64))
	}
	if tongues := names(i.AudioLanguages); tongues != "" {
		parts = append(parts, "("+tongues+")")
	}
	return strings.Join(parts, " ")
}

func subtitles(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	return names(i.Subtitles)
}

// location is the file, or the folder when there are several files or none.
func location(e sdk.Event) string {
	if len(e.Files) == 1 {
		return firstLine(e.Files[0].RelativePath, e.Files[0].Path)
	}
	if e.Media != nil {
		return e.Media.Path
	}
	return ""
}

// list names the episodes, albums or files of an event.
func list(e sdk.Event) []string {
	var all []string
	switch {
	case len(e.RenamedFiles) > 0:
		for _, r := range e.RenamedFiles {
			all = append(all, renamed(r))
		}
	case len(e.Episodes) > 0:
		for _, ep := range e.Episodes {
			all = append(all, episodeLine(ep))
		}
	case len(e.Albums) > 0:
		for _, a := range e.Albums {
			all = append(all, albumLine(a))
		}
	case len(e.Tracks) > 0:
		for _, t := range e.Tracks {
			all = append(all, t.Number+" "+t.Title)
		}
	case len(e.Files) > 1:
		all = fileNames(e.Files)
	case len(e.Files) == 0:
		all = fileNames(e.DeletedFiles)
	}
	for i, s := range all {
		all[i] = line(s)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if extra := len(all) - listMax; extra > 0 {
		all = append(all[:listMax], fmt.Sprintf("… and %d more", extra))
	}
	return all
}

// renamed is "before → after" without the folder that both are in.
func renamed(r sdk.Rename) string {
	shared := 0
	for i := range min(len(r.From), len(r.To)) {
		if r.From[i] != r.To[i] {
			break
		}
		if r.From[i] == '/' || r.From[i] == '\\' {
			shared = i + 1
		}
	}
	return change(line(r.From[shared:]), line(r.To[shared:]))
}

// episodeLine names an episode as titles do, by its number or its date.
func episodeLine(ep sdk.Episode) string {
	switch {
	case ep.Code != "":
		return ep.Code + " " + ep.Title
	case ep.Number != nil:
		return fmt.Sprintf("S%02dE%02d %s", ep.Season, *ep.Number, ep.Title)
	default:
		return ep.AirDate + " " + ep.Title
	}
}

func albumLine(a sdk.Album) string {
	year, _, _ := strings.Cut(a.ReleaseDate, "-")
	if year == "" {
		return a.Title
	}
	return a.Title + " (" + year + ")"
}

func fileNames(files []sdk.File) []string {
	all := make([]string, 0, len(files))
	for _, f := range files {
		all = append(all, firstLine(f.RelativePath, f.Path))
	}
	return all
}
